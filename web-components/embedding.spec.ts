import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../test/support/browser.js';
import { closePages, openPage } from '../test/support/element-page.js';
import { describeWith } from '../test/support/require-part.js';
import { StubHub } from '../test/support/stub-hub.js';
import { sampleEvent, sampleModel, sampleRequest, sampleVerdict } from '../test/support/wire-samples.js';

/** A page of somebody else: it knows the hub's address and a token, nothing more; another part of it loads the same. */
const foreignPage = (hubUrl: string) => `<!doctype html><html lang="en"><title>Elsewhere</title>
<style nonce="host">body { text-transform: uppercase; letter-spacing: 1em; white-space: pre }</style>
<script type="module" src="${hubUrl}/elements.js"></script>
<script type="module" src="${hubUrl}/elements.js?again"></script>
<hub-work-request-form base-url="${hubUrl}" token="personal-token"></hub-work-request-form>
<script nonce="host">
  addEventListener('hub-work-request-submitted', ({ detail }) => {
    const status = document.createElement('hub-work-request-status');
    Object.assign(status, { baseUrl: '${hubUrl}/', token: 'personal-token', requestId: detail.id });
    document.body.append(status);
  });
</script></html>`;

/** What it lets the elements do: run, and call their hub. */
const strictPolicy = (hubUrl: string) =>
  `default-src 'none'; script-src ${hubUrl} 'nonce-host'; style-src 'nonce-host'; connect-src ${hubUrl}`;

describeWith('browser')('elements in a page of another origin', () => {
  let browser: Browser;
  let hub: StubHub;
  let elsewhere: Server;

  beforeAll(async () => {
    [browser, hub] = await Promise.all([startBrowser(), StubHub.start()]);
    elsewhere = createServer((_request, response) => {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': strictPolicy(hub.url),
      });
      response.end(foreignPage(hub.url));
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.close();
    elsewhere?.closeAllConnections();
    await new Promise((resolve) => elsewhere?.close(resolve));
  });
  afterEach(() => closePages(browser));
  beforeEach(() => hub.reset());

  it('submit and follow with nothing but a base URL and a token', async () => {
    hub.on('GET /api/models', { body: { items: [sampleModel()] } });
    hub.on('POST /api/work-requests/check', { body: sampleVerdict() });
    hub.on('POST /api/work-requests', { body: sampleRequest() });
    hub.stream('/api/work-requests/42/events');
    const page = await openPage(browser);
    const { port } = elsewhere.address() as AddressInfo;
    await page.goto(`http://localhost:${port}/`);
    await page.getByRole('radio', { name: /Physico/ }).check();
    await page.getByLabel(/SMILES, one per line/).fill('CCO\nCCC');
    await page.getByText('3 rows.').waitFor();
    await page.getByRole('button', { name: 'Run the model' }).click();
    await hub.untilConnected();
    hub.send('snapshot', sampleRequest({ request_status: 'PROCESSING' }), 1);
    hub.send('progress', sampleEvent(4, 'progress', { rows_done: 400 }), 4);
    await page.getByText('400 of 1,200 rows', { exact: true }).waitFor();
    const looks = await page.evaluate(`(() => {
      const { textTransform, letterSpacing, whiteSpace } =
        getComputedStyle(document.querySelector('hub-work-request-status').shadowRoot.querySelector('code'));
      return [textTransform, letterSpacing, whiteSpace];
    })()`);
    expect(looks).toEqual(['none', 'normal', 'normal']);
    expect(new Set(hub.calls.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer personal-token']),
    );
    expect(hub.calls.every(({ headers }) => headers.cookie === undefined)).toBe(true);
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
  });
});
