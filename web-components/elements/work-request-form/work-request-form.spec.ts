import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../../../test/support/browser.js';
import {
  axeViolations,
  closePages,
  dropFiles,
  focused,
  horizontalOverflow,
  openPage,
  showMarkup,
} from '../../../test/support/element-page.js';
import { describeWith } from '../../../test/support/require-part.js';
import { StubHub } from '../../../test/support/stub-hub.js';
import { sampleModel, sampleRequest, sampleVerdict } from '../../../test/support/wire-samples.js';

const markup =
  '<h1>Run</h1><hub-work-request-form token="t" model-id="eos-physchem" draft-key="spec"></hub-work-request-form>';
const input = 'smiles,name\nCCO,ethanol\n';

describeWith('browser')('<hub-work-request-form>', () => {
  let browser: Browser;
  let hub: StubHub;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-form-'));
    [browser, hub] = await Promise.all([startBrowser(), StubHub.start()]);
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.close();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => closePages(browser));
  beforeEach(() => {
    hub.reset();
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
    hub.on('POST /api/work-requests/check', { body: sampleVerdict() });
    hub.on('POST /api/work-requests', { body: sampleRequest() });
  });

  const textField = (page: Page) => page.getByLabel(/SMILES, one per line/);
  const lastCheck = () => hub.callsOf('POST /api/work-requests/check').at(-1);
  const writeInput = async (name: string, content: string) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const pickFile = async (page: Page, name: string, content: string) =>
    page.locator('input[type=file]').setInputFiles(await writeInput(name, content));

  it('asks the hub once when typing rests, and shows what it made of the input', async () => {
    const page = await openPage(browser);
    // By the page's own clock: on a busy machine a moment between two keys can be long enough for a rest.
    await page.clock.install();
    await showMarkup(page, hub.url, markup);
    await page.clock.pauseAt(Date.now() + 60_000);
    for (const letter of 'CCO') {
      await textField(page).press(letter);
      await page.clock.runFor(100);
    }
    await page.clock.resume();
    await page.getByRole('status').getByText('3 rows. Not a molecule: 1.').waitFor();
    expect(hub.callsOf('POST /api/work-requests/check').map(({ body }) => body)).toEqual(['CCO']);
    expect(lastCheck()?.headers['content-type']).toBe('text/csv');
    expect(lastCheck()?.query.toString()).toBe('header=auto&model_id=eos-physchem');
    await page.getByText('Comma', { exact: true }).waitFor();
    await page.getByText('Line 4').waitFor();
    await page.getByText('“not-a-molecule” is no molecule.').waitFor();
    await page.getByRole('row', { name: 'Cn1c(=O)c2c(ncn2C)n(C)c1=O caffeine' }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('lets header and column be decided otherwise, and submits what was decided', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    await page.getByRole('radio', { name: 'No', exact: true }).check();
    await Promise.all([
      page.waitForResponse((response) => response.url().includes('column=2')),
      page.getByRole('combobox', { name: 'SMILES column' }).selectOption('2: name'),
    ]);
    await Promise.all([
      page.waitForResponse((response) => response.url().includes('/api/work-requests?')),
      page.getByRole('button', { name: 'Run the model' }).click(),
    ]);
    const [sent] = hub.callsOf('POST /api/work-requests');
    expect(Object.fromEntries(sent?.query ?? [])).toEqual({
      header: 'no',
      column: '2',
      model_id: 'eos-physchem',
    });
    expect(lastCheck()?.query.get('column')).toBe('2');
    expect(sent?.body).toBe(input);
  });

  it('sends a file as it is on disk, with the type of its name', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    const content = '\uFEFFCCO ethanol\r\nCCC propane\r\n';
    await pickFile(page, 'library.smi', content);
    await page.locator('.file-name', { hasText: 'library.smi' }).waitFor();
    await page.getByText('3 rows.').waitFor();
    expect(lastCheck()?.body).toBe(content);
    expect(lastCheck()?.headers['content-type']).toBe('chemical/x-daylight-smiles');
    expect(await axeViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove library.smi' }).click();
    await textField(page).waitFor();
  });

  it('takes a text of many thousand lines as a file, so that the page stays quick', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.evaluate(`(() => {
      const field = document.querySelector('hub-work-request-form').shadowRoot.querySelector('textarea');
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'CCO\\n'.repeat(200_000));
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    })()`);
    await page.locator('.file', { hasText: 'pasted.txt 800.0 kB' }).waitFor();
    await page.getByText('3 rows.').waitFor();
    expect(lastCheck()?.body).toHaveLength(800_000);
    expect(lastCheck()?.headers['content-type']).toBe('text/csv');
    expect(await focused(page)).toBe('button Remove pasted.txt');
  });

  it('takes a file dropped anywhere on the form, also in place of another one', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    const first = await writeInput('first.csv', input);
    const second = await writeInput('second.tsv', 'a\tb\n');
    await dropFiles(page, textField(page), [first]);
    await page.locator('.file-name', { hasText: 'first.csv' }).waitFor();
    for (const place of [page.locator('.file'), page.getByRole('heading', { name: 'Molecules' })]) {
      await dropFiles(page, place, [second]);
      await page.locator('.file-name', { hasText: 'second.tsv' }).waitFor();
      await page.getByText('3 rows.').waitFor();
      expect(lastCheck()?.headers['content-type']).toBe('text/tab-separated-values');
      await dropFiles(page, page.getByRole('button', { name: 'Run the model' }), [first]);
      await page.locator('.file-name', { hasText: 'first.csv' }).waitFor();
    }
    expect(page.url()).toBe(`${hub.url}/fixture`);
  });

  it('takes none of two files dropped at once, and says so', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    const [one, two] = [await writeInput('one.csv', input), await writeInput('two.csv', input)];
    await dropFiles(page, textField(page), [one, two]);
    await page.getByRole('alert').getByText('Drop one file at a time').waitFor();
    expect(await page.locator('.file-name').count()).toBe(0);
  });

  it('never loses the keyboard when a control goes', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Use five known drugs' }).press('Enter');
    await page.getByText('3 rows.').waitFor();
    expect(await focused(page)).toContain('textarea');
    await pickFile(page, 'library.csv', input);
    await page.locator('.file-name').waitFor();
    expect(await focused(page)).toBe('button Remove library.csv');
    await page.keyboard.press('Enter');
    await textField(page).waitFor();
    expect(await focused(page)).toContain('textarea');
  });

  it('shows problems by kind, those that cost a result first, and unfolds all that the hub gave', async () => {
    const listed = (kind: 'invalid' | 'duplicate', count: number, firstLine: number) =>
      Array.from({ length: count }, (_, index) => ({ line: firstLine + index, kind, message: `${kind}!` }));
    hub.on('POST /api/work-requests/check', {
      body: sampleVerdict({
        row_count: 20_000,
        judged_rows: 1000,
        invalid_count: 6,
        duplicate_count: 12_000,
        problems: [...listed('duplicate', 50, 2), ...listed('invalid', 6, 900)],
      }),
    });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    await page
      .getByRole('status')
      .getByText('20,000 rows. Not a molecule: 6. Duplicate: 12,000. Judged by the first 1,000 rows.')
      .waitFor();
    expect(await page.getByRole('heading', { level: 4 }).allInnerTexts()).toEqual([
      'Not a molecule: 6 rows of the first 1,000',
      'Duplicate: 12,000 rows',
    ]);
    const lines = page.locator('.problems li:visible');
    expect(await lines.count()).toBe(8);
    await page.getByText('Only the first 50 are listed; 11,950 more rows have this problem.').waitFor();
    await page.getByText('46 more lines with: Duplicate').focus();
    await page.keyboard.press('Enter');
    await page.getByText('Line 51', { exact: true }).waitFor();
    expect(await lines.count()).toBe(4 + 50);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Space');
    await page.getByText('Line 905', { exact: true }).waitFor();
    expect(await lines.count()).toBe(56);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('tells the host page the number of the new request and forgets the draft', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.evaluate(
      "addEventListener('hub-work-request-submitted', (event) => { document.title = String(event.detail.id); })",
    );
    await textField(page).fill(input);
    await page.getByRole('button', { name: 'Run the model' }).click();
    await page.waitForFunction("document.title === '42'");
    await showMarkup(page, hub.url, markup);
    expect(await textField(page).inputValue()).toBe('');
  });

  it('keeps what is typed while the input before is on its way', async () => {
    let accept = (): void => undefined;
    hub.on('POST /api/work-requests', async () => {
      await new Promise<void>((resolve) => (accept = resolve));
      return { body: sampleRequest() };
    });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    const sent = page.waitForRequest((request) => request.url().includes('/api/work-requests?'));
    await page.getByRole('button', { name: 'Run the model' }).click();
    await sent;
    await textField(page).fill('CCC');
    accept();
    await page.getByRole('button', { name: 'Run the model' }).waitFor();
    expect(await textField(page).inputValue()).toBe('CCC');
  });

  it('says that a file was changed on disk after it was chosen', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await pickFile(page, 'library.csv', input);
    await page.getByText('3 rows.').waitFor();
    await writeInput('library.csv', `${input}CCC,propane\n`);
    await page.getByRole('button', { name: 'Run the model' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The file was changed or moved after it was chosen.').waitFor();
    await alert.getByText('Choose the file again.').waitFor();
  });

  it('keeps the draft over a reload', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    await page.getByText('3 rows.').waitFor();
    await showMarkup(page, hub.url, markup);
    await page.getByText('3 rows.').waitFor();
    expect(await textField(page).inputValue()).toBe(input);
  });

  it('names cause and remedy when the hub refuses, and keeps everything', async () => {
    hub.on('POST /api/work-requests', { status: 413, body: { detail: 'The input has more than 50 MB' } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    await page.getByRole('button', { name: 'Run the model' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The input has more than 50 MB.').waitFor();
    await alert.getByText('Split the input into smaller files.').waitFor();
    expect(await textField(page).inputValue()).toBe(input);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('shows the field errors of a 422 by field', async () => {
    hub.on('POST /api/work-requests/check', {
      status: 422,
      body: { detail: [{ type: 'x', loc: ['query', 'column'], msg: 'There is no column 9' }] },
    });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    await page.getByRole('alert').getByText('column: There is no column 9.').waitFor();
  });

  it('shows why an input would be refused, and doubts that do not stand in the way', async () => {
    hub.on('POST /api/work-requests/check', {
      body: sampleVerdict({
        acceptable: false,
        refusal: 'The input has 100,001 rows; at most 100,000 are accepted.',
        warning: 'None of the first 1,000 rows holds a molecule.',
        column: null,
      }),
    });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).fill(input);
    await page.getByText('at most 100,000 are accepted').waitFor();
    await page.getByText('None of the first 1,000 rows holds a molecule.').waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('says what is missing before it sends anything', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, '<h1>Run</h1><hub-work-request-form token="t"></hub-work-request-form>');
    await page.getByRole('button', { name: 'Run the model' }).click();
    await page.getByRole('alert').getByText('Choose a model first.').waitFor();
    await page.getByRole('radio').check();
    await page.getByRole('button', { name: 'Run the model' }).click();
    await page.getByRole('alert').getByText('Paste molecules, or choose a file, first.').waitFor();
    expect(hub.callsOf('POST /api/work-requests')).toHaveLength(0);
    expect(await axeViolations(page)).toEqual([]);
  });

  it.each([360, 1440])('needs no sideways scrolling at %i px', async (width) => {
    const page = await openPage(browser, { viewport: { width, height: 800 } });
    await showMarkup(page, hub.url, '<h1>Run</h1><hub-work-request-form token="t"></hub-work-request-form>');
    await textField(page).fill(`${'C'.repeat(400)}\n`);
    await page.getByText('3 rows.').waitFor();
    expect(await horizontalOverflow(page)).toBe(0);
  });
});
