import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../../../test/support/browser.js';
import {
  axeViolations,
  closePages,
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
  const pickFile = async (page: Page, name: string, content: string) => {
    const path = join(folder, name);
    await writeFile(path, content);
    await page.locator('input[type=file]').setInputFiles(path);
  };

  it('asks the hub once when typing rests, and shows what it made of the input', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).pressSequentially('CCO', { delay: 20 });
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

  it('takes a dropped file', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await textField(page).waitFor();
    await page.evaluate(`(() => {
      const data = new DataTransfer();
      data.items.add(new File(['a\\tb\\n'], 'dropped.tsv'));
      const zone = document.querySelector('hub-work-request-form').shadowRoot.querySelector('.input');
      zone.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
      zone.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    })()`);
    await page.locator('.file-name', { hasText: 'dropped.tsv' }).waitFor();
    await page.getByText('3 rows.').waitFor();
    expect(lastCheck()?.headers['content-type']).toBe('text/tab-separated-values');
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
