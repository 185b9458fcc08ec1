import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../support/browser.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

describeWith('browser')('the api in a real browser', () => {
  let api: RunningApi;
  let browser: Browser;
  let foreign: Server;
  beforeAll(async () => {
    api = await startApi();
    browser = await startBrowser();
    foreign = createServer((_, answer) =>
      answer.setHeader('content-type', 'text/html').end('<!doctype html><p>foreign'),
    );
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser?.close();
    foreign.close();
    await api.stop();
  });

  it('shows its documentation without a request to anybody else, and without a breach of its own policy', async () => {
    const page = await browser.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`${api.url}/api/v1/docs`);
    await page.getByText('Submit molecules to a model').waitFor();
    expect(requests.length).toBeGreaterThan(3);
    expect(requests.filter((url) => !url.startsWith(api.url) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('serves a page of another origin that brings a token, and sends it no cookie', async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
    const outcome = await page.evaluate(async (base) => {
      const entered = await fetch(`${base}/api/auth/anonymous-login`, { method: 'POST' });
      const { session } = (await entered.json()) as { session: { session_token: string } };
      const headers = { authorization: `Bearer ${session.session_token}`, 'content-type': 'text/csv' };
      const submitted = await fetch(`${base}/api/work-requests?model_id=eos-physchem`, {
        method: 'POST',
        headers,
        body: 'CCO',
      });
      const { id } = (await submitted.json()) as { id: number };
      const events = await fetch(`${base}/api/work-requests/${id}/events`, { headers });
      const { value } = await events.body!.getReader().read();
      const bare = await fetch(`${base}/api/models`, { credentials: 'include' }).then(
        ({ status }) => status,
        () => 'refused by the browser',
      );
      return { status: submitted.status, first: new TextDecoder().decode(value).split('\n')[0], bare };
    }, api.url);
    expect(outcome).toEqual({ status: 200, first: 'event: snapshot', bare: 'refused by the browser' });
  });
});
