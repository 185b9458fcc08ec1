import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
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
import { sampleRequest } from '../../../test/support/wire-samples.js';

const markup = `<h1>Requests</h1><hub-work-request-list token="t" request-href="/requests/{id}">
  <a slot="empty" href="/">Run a model</a></hub-work-request-list>`;
const states = ['QUEUED', 'SCHEDULING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;

describeWith('browser')('<hub-work-request-list>', () => {
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

  const answerInPages = () =>
    hub.on('GET /api/work-requests', ({ query }) => {
      const isSecond = query.get('cursor') === '37';
      const items = states.map((request_status, index) =>
        sampleRequest({ id: (isSecond ? 36 : 42) - index, request_status, progress: { rows_done: 400 } }),
      );
      return { body: { items, next_cursor: isSecond ? null : '37' } };
    });

  it('shows number, model, state, rows and time of each, with a link', async () => {
    answerInPages();
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    const row = page.getByRole('row', { name: /Request 39/ });
    await row.getByText('Done').waitFor();
    await row.getByText('1,200', { exact: true }).waitFor();
    await page
      .getByRole('row', { name: /Request 38/ })
      .getByText('400 of 1,200')
      .waitFor();
    expect(await row.getByRole('link').getAttribute('href')).toBe('/requests/39');
    expect(await axeViolations(page)).toEqual([]);
  });

  it('goes on to older requests until there are no more', async () => {
    answerInPages();
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByRole('button', { name: 'Older requests' }).click();
    await page.getByText('Request 31').waitFor();
    await page.evaluate(`(async () => {
      document.dispatchEvent(new Event('visibilitychange'));
      await fetch('/fixture');
    })()`);
    expect(await page.getByRole('rowheader').count()).toBe(12);
    expect(hub.callsOf('GET /api/work-requests')).toHaveLength(2);
    expect(await page.getByRole('button', { name: 'Older requests' }).count()).toBe(0);
  });

  it('keeps what it has when older ones cannot be loaded', async () => {
    answerInPages();
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('Request 37').waitFor();
    hub.on('GET /api/work-requests', { status: 500, body: { detail: 'Something broke' } });
    await page.getByRole('button', { name: 'Older requests' }).click();
    await page.getByRole('alert').getByText('Something broke.').waitFor();
    expect(await page.getByRole('rowheader').count()).toBe(6);
    expect(await axeViolations(page)).toEqual([]);
  });

  it('shows nobody the requests of the person before, also when it gets none of its own', async () => {
    answerInPages();
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('Request 37').waitFor();
    hub.on('GET /api/work-requests', { status: 503, body: { detail: 'The database cannot be reached' } });
    await page.evaluate("document.querySelector('hub-work-request-list').token = 'of-another-person'");
    await page.getByRole('alert').getByText('The database cannot be reached.').waitFor();
    expect(await page.getByRole('rowheader').count()).toBe(0);
  });

  it('says what to do when there is nothing yet', async () => {
    hub.on('GET /api/work-requests', { body: { items: [], next_cursor: null } });
    const page = await openPage(browser);
    await showMarkup(page, hub.url, markup);
    await page.getByText('You have no requests yet.').waitFor();
    await page.getByRole('link', { name: 'Run a model' }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
  });

  it.each([360, 1440])('needs no sideways scrolling at %i px, and is accessible', async (width) => {
    answerInPages();
    const page = await openPage(browser, { viewport: { width, height: 800 } });
    await showMarkup(page, hub.url, markup);
    await page.getByText('Request 42').waitFor();
    expect(await horizontalOverflow(page)).toBe(0);
    expect(await axeViolations(page)).toEqual([]);
  });
});
