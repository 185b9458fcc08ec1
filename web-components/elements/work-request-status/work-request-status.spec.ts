import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../../../test/support/browser.js';
import {
  axeViolations,
  closePages,
  focused,
  horizontalOverflow,
  openPage,
  showMarkup,
} from '../../../test/support/element-page.js';
import { describeWith } from '../../../test/support/require-part.js';
import { StubHub } from '../../../test/support/stub-hub.js';
import { sampleEvent, sampleRequest } from '../../../test/support/wire-samples.js';

const markup = '<hub-work-request-status token="t" request-id="42"></hub-work-request-status>';
const events = '/api/work-requests/42/events';
const workflow = {
  workflow_id: 'work-request-42-x',
  phase: 'waiting',
  waiting_because: 'All instances of eos-physchem are busy.',
  position: 3,
  attempts: 1,
  instance_ids: [],
  stale: false,
  temporal_url: null,
};
const completed = sampleRequest({
  request_status: 'COMPLETED',
  processed_timestamp: new Date().toISOString(),
  progress: { rows_done: 1200, rows_invalid: 3, version: 9 },
});

describeWith('browser')('<hub-work-request-status>', () => {
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
  beforeEach(() => {
    hub.reset();
    hub.stream(events);
    hub.on('GET /api/work-requests/42/workflow', { body: workflow });
  });

  /** Shows the element and gives it a first snapshot. */
  const open = async (request = sampleRequest(), options = {}): Promise<Page> => {
    const page = await openPage(browser, options);
    await showMarkup(page, hub.url, markup);
    await hub.untilConnected();
    hub.send('snapshot', request, request.progress.version);
    await page.getByRole('heading', { name: 'Request 42' }).waitFor();
    return page;
  };
  const hideTab = (page: Page, hidden: boolean) =>
    page.evaluate(`(() => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${hidden ? 'hidden' : 'visible'}' });
      document.dispatchEvent(new Event('visibilitychange'));
    })()`);

  it('loads with the token and asks for the whole story', async () => {
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('status').getByText('Loading the request').waitFor();
    await hub.untilConnected();
    const [call] = hub.callsOf(`GET ${events}`);
    expect(call?.headers.authorization).toBe('Bearer t');
    expect(call?.headers['last-event-id']).toBe('0');
    expect(await axeViolations(page)).toContainEqual(expect.stringContaining('page-has-heading-one'));
  });

  it('says what a queued request waits for and its place in line', async () => {
    const page = await open();
    await page.locator('.step-detail', { hasText: 'Number 3 in line.' }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it('shows the place in line and the reason of now, and reads each step out but not each number', async () => {
    const page = await open();
    const shown = (hasText: string) => page.locator('.step-detail', { hasText });
    const readOut = page.getByRole('status').filter({ hasText: 'Request 42' });
    await shown('Number 3 in line.').waitFor();
    expect(await readOut.textContent()).toContain('Number 3 in line.');
    hub.on('GET /api/work-requests/42/workflow', { body: { ...workflow, position: 1 } });
    await shown('Next in line.').waitFor();
    expect(await readOut.textContent()).toContain('Number 3 in line.');
    const because = 'No node can take the instance yet: 0/3 nodes are available: 3 Insufficient memory.';
    const stuck = { ...workflow, phase: 'instance-starting', waiting_because: because, position: null };
    hub.on('GET /api/work-requests/42/workflow', { body: stuck });
    hub.send('instance-starting', sampleEvent(3, 'instance-starting'), 3);
    await shown(because).waitFor();
    expect(await readOut.textContent()).toMatch(/Request 42: Instance starting\. +No node can take/);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('asks the workflow no more often than every 5 s, and not at all once it runs', async () => {
    const page = await open();
    await page.locator('.step-detail', { hasText: 'Number 3' }).waitFor();
    hub.breakStreams();
    await hub.untilConnected();
    hub.send('snapshot', sampleRequest(), 1);
    hub.send('running', sampleEvent(3, 'running'), 3);
    await page.getByRole('progressbar').waitFor();
    await page.waitForTimeout(5500);
    expect(hub.callsOf('GET /api/work-requests/42/workflow')).toHaveLength(1);
  });

  it('shows rows as they are computed; a bar without a known value has none', async () => {
    const page = await open();
    hub.send('running', sampleEvent(3, 'running'), 3);
    const bar = page.getByRole('progressbar', { name: 'Rows computed' });
    await bar.waitFor();
    expect(await bar.getAttribute('value')).toBeNull();
    hub.send('progress', sampleEvent(4, 'progress', { rows_done: 400, rows_invalid: 2 }), 4);
    await page.getByText('400 of 1,200 rows · 2 invalid').waitFor();
    expect(await bar.getAttribute('value')).toBe('400');
    expect(await axeViolations(page)).toEqual([]);
  });

  it('tells that the instance ran out of memory and the request goes on', async () => {
    const page = await open(sampleRequest({ request_status: 'PROCESSING' }));
    hub.send('out-of-memory', sampleEvent(5, 'out-of-memory', { because: 'It needs more than 512 MiB.' }), 5);
    await page
      .locator('.step-detail', { hasText: 'It needs more than 512 MiB. Rows that were finished are kept.' })
      .waitFor();
  });

  it('resumes a broken stream after the last event it has, and shows each event once', async () => {
    const page = await open();
    hub.send('running', sampleEvent(3, 'running'), 3);
    await page.getByRole('progressbar').waitFor();
    hub.breakStreams();
    await hub.untilConnected();
    expect(hub.callsOf(`GET ${events}`).at(-1)?.headers['last-event-id']).toBe('3');
    hub.send('snapshot', sampleRequest({ request_status: 'PROCESSING', progress: { version: 3 } }), 3);
    hub.send('progress', sampleEvent(4, 'progress', { rows_done: 800 }), 4);
    await page.getByText('800 of 1,200 rows').first().waitFor();
  });

  it('says how old the data is while the hub is away, keeps it, and recovers', async () => {
    const page = await open();
    hub.on(`GET ${events}`, { status: 503, body: { detail: 'The database cannot be reached' } });
    hub.breakStreams();
    await page.getByText('What is shown may be old.').waitFor();
    await page.getByText('Last heard from the hub').waitFor();
    expect(await page.getByRole('heading', { name: 'Request 42' }).isVisible()).toBe(true);
    expect(await axeViolations(page)).toEqual([]);
    // The next try of the page's own gets no answer, so that it is the click that connects.
    await new Promise<void>((tried) =>
      hub.on(`GET ${events}`, () => {
        tried();
        return new Promise(() => undefined);
      }),
    );
    hub.stream(events);
    await page.getByRole('button', { name: 'Connect now' }).click();
    await hub.untilConnected();
    hub.send('snapshot', sampleRequest({ request_status: 'PROCESSING' }), 5);
    await page.getByText('What is shown may be old.').waitFor({ state: 'detached' });
  });

  it('connects again when a connection that seems open says nothing any more', async () => {
    const page = await openPage(browser);
    await page.clock.install();
    await showMarkup(page, hub.url, markup);
    await hub.untilConnected();
    hub.send('snapshot', sampleRequest(), 1);
    await page.getByRole('heading', { name: 'Request 42' }).waitFor();
    hub.on(`GET ${events}`, () => new Promise(() => undefined));
    await page.clock.runFor(26_000);
    await page.getByText('Not connected; trying again.').waitFor();
    expect(hub.callsOf(`GET ${events}`).length).toBeGreaterThan(1);
    await hub.untilConnected(0);
  });

  it('keeps to the request it shows when the answer to another one comes late', async () => {
    let answer = (): void => undefined;
    hub.on('POST /api/work-requests/42/cancel', async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      return { body: sampleRequest({ request_status: 'CANCELLED' }) };
    });
    const page = await open(sampleRequest({ request_status: 'PROCESSING' }));
    await page.getByRole('button', { name: 'Cancel request …' }).click();
    const asked = page.waitForRequest((request) => request.url().endsWith('/cancel'));
    await page.getByRole('button', { name: 'Cancel the request' }).click();
    const cancelled = (await asked).response();
    hub.stream('/api/work-requests/43/events');
    const opened = page.waitForResponse((response) => response.url().endsWith('/43/events'));
    await page.evaluate("document.querySelector('hub-work-request-status').requestId = 43");
    await opened;
    hub.send('snapshot', sampleRequest({ id: 43, request_status: 'PROCESSING' }), 1);
    await page.getByRole('heading', { name: 'Request 43' }).waitFor();
    answer();
    await (await cancelled)?.finished();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Request 43');
    expect(await page.locator('.state').innerText()).toBe('Running');
  });

  it('shows nobody the request of the person before', async () => {
    const page = await open();
    hub.on(`GET ${events}`, { status: 403, body: { detail: 'Forbidden' } });
    await page.evaluate("document.querySelector('hub-work-request-status').token = 'of-another-person'");
    await page.getByRole('alert').getByText('Forbidden.').waitFor();
    expect(await page.getByText('1,200 rows').count()).toBe(0);
  });

  it('lets the stream go while the tab is hidden and takes it up again', async () => {
    const page = await open();
    await hideTab(page, true);
    await hub.untilConnected(0);
    await page.getByText('Paused while the page is hidden.').waitFor();
    await hideTab(page, false);
    await hub.untilConnected();
  });

  it('shows the first rows of a result and saves it under the name the hub gives', async () => {
    const rows = Array.from({ length: 50 }, (_, index) => ({
      key: 'K',
      input: 'CCO',
      amw: 46.07 + index,
      status: 'ok',
    }));
    hub.on('GET /api/work-requests/42', ({ query, headers }) => {
      if (query.get('format') === 'ndjson')
        return { body: rows.map((row) => `${JSON.stringify(row)}\n`).join('') };
      if (query.get('format') === 'csv' && headers.authorization === 'Bearer t')
        return {
          headers: { 'content-disposition': 'attachment; filename="eos-physchem-42-result.csv"' },
          body: 'key,input\r\nK,CCO\r\n',
        };
      return { body: completed };
    });
    const page = await open(sampleRequest({ request_status: 'PROCESSING' }));
    await page.evaluate(
      "addEventListener('hub-work-request-finished', (event) => { document.title = event.detail.status; })",
    );
    hub.send('completed', sampleEvent(5, 'completed'), 5);
    await page.getByRole('cell', { name: '55.07' }).waitFor();
    await page.waitForFunction("document.title === 'COMPLETED'");
    expect(await page.getByRole('row').count()).toBe(11);
    expect(await axeViolations(page)).toEqual([]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('eos-physchem-42-result.csv');
    expect(await readFile(await download.path(), 'utf8')).toBe('key,input\r\nK,CCO\r\n');
    await expect(hub.untilConnected(0)).resolves.toBeUndefined();
  });

  it('says so when a download breaks off, and can be asked again', async () => {
    hub.on('GET /api/work-requests/42', ({ query }) =>
      query.get('format') === 'csv'
        ? { body: (response: ServerResponse) => void response.write('key', () => response.destroy()) }
        : { body: '{"key":"K","input":"CCO","amw":46.07,"status":"ok"}\n' },
    );
    const page = await open(completed);
    const download = page.getByRole('button', { name: 'Download CSV' });
    await download.click();
    await page.getByRole('alert').getByText('The answer broke off.').waitFor();
    expect(await download.isEnabled()).toBe(true);
  });

  it('says why a request failed and what to do next, as the hub tells it', async () => {
    const reason = 'The model server answered HTML. Try again, or tell the model’s authors.';
    const page = await open(
      sampleRequest({ request_status: 'FAILED', request_status_reason: reason, progress: { version: 4 } }),
    );
    await page.getByRole('alert').getByText(reason).waitFor();
    expect(await page.getByRole('button', { name: 'Cancel request' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Download' }).count()).toBe(0);
    expect(await axeViolations(page)).toEqual([]);
  });

  it.each([
    ['FAILED', 'before the request failed'],
    ['CANCELLED', 'before the request was cancelled'],
  ] as const)('offers what was computed of a request that ended %s, as a part', async (state, when) => {
    const reason = 'The model server answered HTML.';
    hub.on('GET /api/work-requests/42', ({ query }) =>
      query.get('format') === 'ndjson'
        ? { body: '{"key":"K","input":"CCO","amw":46.07,"status":"ok"}\n' }
        : {
            headers: { 'content-disposition': 'attachment; filename="eos-physchem-42-result.csv"' },
            body: 'key,input\r\nK,CCO\r\n',
          },
    );
    const page = await open(
      sampleRequest({
        request_status: state,
        request_status_reason: reason,
        progress: { rows_done: 400, version: 4 },
      }),
    );
    await page.getByRole('heading', { name: 'Partial result: 400 of 1,200 rows' }).waitFor();
    await page.getByText(when).waitFor();
    await page.getByRole('cell', { name: '46.07' }).waitFor();
    const shown = await page.evaluate(
      "document.querySelector('hub-work-request-status').shadowRoot.textContent.replaceAll(/\\s+/g, ' ')",
    );
    expect(shown).toMatch(new RegExp(`${reason}.*Partial result`));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('eos-physchem-42-result.csv');
    expect(await axeViolations(page)).toEqual([]);
  });

  it('cancels only after a confirmation that names the effect, by keyboard alone', async () => {
    hub.on('POST /api/work-requests/42/cancel', { body: sampleRequest({ request_status: 'CANCELLED' }) });
    const page = await open(sampleRequest({ request_status: 'PROCESSING', progress: { rows_done: 400 } }));
    const cancel = page.getByRole('button', { name: 'Cancel request …' });
    await cancel.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('400 of 1,200 rows are computed.').waitFor();
    expect(await focused(page)).toBe('button Keep it running');
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe('button Cancel request …');
    expect(hub.callsOf('POST /api/work-requests/42/cancel')).toHaveLength(0);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('button Cancel the request');
    await page.keyboard.press('Enter');
    await page.locator('.state', { hasText: 'Cancelled' }).waitFor();
    expect(await focused(page)).toBe('h1 Request 42');
    expect(await axeViolations(page)).toEqual([]);
  });

  it('says that a request is unknown or somebody else’s, and does not try again', async () => {
    hub.on(`GET ${events}`, { status: 404, body: { detail: 'Failed to load request with id [42]' } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, `<h1>Host</h1>${markup}`);
    await page.getByRole('alert').getByText('Failed to load request with id [42].').waitFor();
    await page.waitForTimeout(1200);
    expect(hub.callsOf(`GET ${events}`)).toHaveLength(1);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('moves nothing when reduced motion is asked for', async () => {
    const page = await open(sampleRequest({ request_status: 'PROCESSING' }), { reducedMotion: 'reduce' });
    const names = await page.evaluate(`[...document.querySelector('hub-work-request-status').shadowRoot
      .querySelectorAll('li')].map((step) => getComputedStyle(step, '::before').animationName)`);
    expect(new Set(names as string[])).toEqual(new Set(['none']));
  });

  it.each([360, 1440])('needs no sideways scrolling at %i px', async (width) => {
    hub.on('GET /api/work-requests/42', {
      body: `${JSON.stringify(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`column_${n}`, n])))}\n`,
    });
    const page = await open(completed, { viewport: { width, height: 800 } });
    await page.getByText('26 more columns in the download').waitFor();
    expect(await horizontalOverflow(page)).toBe(0);
  });
});
