import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../../test/support/browser.js';
import { axeViolations, closePages, openPage, showMarkup } from '../../../test/support/element-page.js';
import { describeWith } from '../../../test/support/require-part.js';
import { StubHub } from '../../../test/support/stub-hub.js';
import { sampleModel } from '../../../test/support/wire-samples.js';

const markup = '<h1>Models</h1><h2>All of them</h2><hub-model-list token="t" selectable></hub-model-list>';

describeWith('browser')('<hub-model-list>', () => {
  let browser: Browser;
  let hub: StubHub;

  beforeAll(async () => {
    [browser, hub] = await Promise.all([startBrowser(), StubHub.start()]);
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.close();
  });
  afterEach(() => closePages(browser));
  beforeEach(() => hub.reset());

  it('shows title, description, columns with units, and citation of each model', async () => {
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('3 columns, source and size').click();
    await page.getByRole('row', { name: 'tpsa Å² Topological polar surface area' }).waitFor();
    await page.getByText('Landrum G. et al.').waitFor();
    await page.getByText('up to 512 MiB of memory').waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('asks again after it was moved in the page before it had an answer', async () => {
    hub.on('GET /api/models', () => new Promise(() => undefined));
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('Loading the models').waitFor();
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
    await page.evaluate("document.body.append(document.querySelector('hub-model-list'))");
    await page.getByText('Physicochemical descriptors').waitFor();
  });

  it.each([
    ['breaks off', 'The answer broke off.', (response: ServerResponse) => void response.destroy()],
    [
      'is none of the hub',
      'Something else than the hub answered.',
      (response: ServerResponse) => void response.end('<html>'),
    ],
  ])('says so when an answer %s, and offers another try', async (_, sentence, end) => {
    hub.on('GET /api/models', {
      body: (response: ServerResponse) => void response.write('{"items":', () => end(response)),
    });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('alert').getByText(sentence).waitFor();
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Physicochemical descriptors').waitFor();
  });

  it('shows every model, whatever stands in the place of an address', async () => {
    const odd = sampleModel();
    const about = { ...odd.details.identification_details!, publication: 'https://[', source_code: 'none' };
    odd.details.identification_details = about;
    hub.on('GET /api/models', { body: { items: [odd, sampleModel('eos-new', 'Another model')] } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('Another model').waitFor();
    for (const description of await page.getByText('3 columns, source and size').all())
      await description.click();
    await page.getByText('Landrum G. et al.').nth(1).waitFor();
    expect(await page.getByText('Publication').count()).toBe(1);
  });

  it('is chosen from by the arrow keys and tells which model it was', async () => {
    const second = sampleModel('eos-solubility', 'Aqueous solubility');
    hub.on('GET /api/models', { body: { items: [sampleModel(), second] } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.evaluate(
      "document.querySelector('hub-model-list').addEventListener('hub-model-selected', (event) => { document.title = event.detail.model.id; })",
    );
    await page.getByRole('radio').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction("document.title === 'eos-solubility'");
    expect(await page.getByRole('radio', { name: /Aqueous/ }).isChecked()).toBe(true);
  });

  it('says why a model cannot be chosen', async () => {
    const off = { ...sampleModel(), enabled: false };
    hub.on('GET /api/models', { body: { items: [off] } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('Switched off by the operator.').waitFor();
    expect(await page.getByRole('radio').isDisabled()).toBe(true);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('says that it is loading, that there is nothing, and that nobody is signed in', async () => {
    hub.on('GET /api/models', () => new Promise(() => undefined));
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('status').getByText('Loading the models').waitFor();
    hub.on('GET /api/models', { body: { items: [] } });
    await page.evaluate("document.querySelector('hub-model-list').reload()");
    await page.getByText('This hub has no models yet').waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await showMarkup(page, hub.url, '<h1>Models</h1><hub-model-list></hub-model-list>');
    await page.getByText('Sign in, or continue as a guest, to see the models.').waitFor();
  });

  it('names cause and remedy of an error, keeps what it had, and recovers by a click', async () => {
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('Physicochemical descriptors').waitFor();
    hub.on('GET /api/models', { status: 503, body: { detail: 'The database cannot be reached' } });
    await page.evaluate("document.querySelector('hub-model-list').reload()");
    const alert = page.getByRole('alert');
    await alert.getByText('The database cannot be reached.').waitFor();
    await alert.getByText('Try again in a moment').waitFor();
    expect(await page.getByText('Physicochemical descriptors').isVisible()).toBe(true);
    expect(await axeViolations(page)).toEqual([]);
    hub.on('GET /api/models', { body: { items: [sampleModel('eos-new', 'Another model')] } });
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Another model').waitFor();
    expect(await alert.count()).toBe(0);
  });

  it('says who may see it when the hub forbids', async () => {
    hub.on('GET /api/models', { status: 403, body: { detail: 'You may not list models' } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('alert').getByText('Sign in with an account that may see this.').waitFor();
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  });
});
