import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'csv-parse/sync';
import type { Page } from 'playwright-core';
import { startBrowser } from '../test/support/browser.js';
import { axeViolations, openPage } from '../test/support/element-page.js';
import { HubClient } from '../test/support/hub-client.js';
import { KNOWN_TOLERANCE, knownMolecules } from './known-values.js';
import { startProofHub } from './proof-hub.js';
import type { Proof, ProofContext } from './proof.js';

/** A first instance has to start. */
const DONE_MS = 30_000;
/** As narrow as a phone, and as wide as a desk. */
const WIDTHS = [360, 1440] as const;

/** A laboratory's own page embeds the form and the status: it knows the hub's address and a token, nothing more. */
export const foreignPage: Proof = {
  name: 'main-10',
  title: 'submit form and status element work in a page of another origin',
  async run(context) {
    const hub = await startProofHub({ models: [] });
    try {
      const { token } = await HubClient.asGuest(hub.stack.url);
      const elsewhere = await servePage(pageText(hub.stack.url, token));
      try {
        for (const width of context.small ? WIDTHS.slice(0, 1) : WIDTHS)
          await provePage(context, { hubUrl: hub.stack.url, elsewhere, token, width });
      } finally {
        elsewhere.closeAllConnections();
        await new Promise((resolve) => elsewhere.close(resolve));
      }
    } finally {
      await hub.stop();
    }
  },
};

const pageText = (hubUrl: string, token: string) => `<!doctype html><html lang="en"><title>Elsewhere</title>
<meta name="viewport" content="width=device-width"><main><h1>Elsewhere</h1>
<script type="module" src="${hubUrl}/elements.js"></script>
<hub-work-request-form base-url="${hubUrl}" token="${token}"></hub-work-request-form>
<hub-work-request-status base-url="${hubUrl}" token="${token}"></hub-work-request-status></main>
<script>addEventListener('hub-work-request-submitted', ({ detail }) => {
  document.querySelector('hub-work-request-status').requestId = detail.id;
});</script></html>`;

async function servePage(text: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

interface Visit {
  readonly hubUrl: string;
  readonly elsewhere: Server;
  readonly token: string;
  readonly width: number;
}

async function provePage(
  { say, claim }: ProofContext,
  { hubUrl, elsewhere, token, width }: Visit,
): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await openPage(browser, { viewport: { width, height: 900 } });
    const headers: Record<string, string>[] = [];
    page.on('request', (request) => {
      if (request.url().startsWith(`${hubUrl}/api/`) && request.method() !== 'OPTIONS')
        headers.push(request.headers());
    });
    // Another name is another origin and another site: nothing of the hub's can come with a request by itself.
    const origin = `http://localhost:${(elsewhere.address() as AddressInfo).port}`;
    await page.goto(`${origin}/`);
    say(`page of ${origin} at ${width} px, hub`, hubUrl);
    await submit(page);
    const rows = await downloadRows(page);
    const wrong = knownMolecules.find((known, index) => !isKnown(rows[index], known));
    claim(
      'every row came back in order with its known values',
      rows.length === knownMolecules.length && !wrong,
      wrong?.name ?? `${rows.length} rows`,
    );
    const strangers = headers.filter((sent) => sent.authorization !== `Bearer ${token}` || sent.cookie);
    claim(
      'every call carries the token, and none a cookie',
      headers.length > 0 && strangers.length === 0,
      `${headers.length} calls`,
    );
    const stored = Number(await page.evaluate('localStorage.length + sessionStorage.length'));
    claim('nothing is stored in the page of another', stored === 0, stored);
    const violations = await axeViolations(page);
    claim('axe finds nothing wrong', violations.length === 0, violations[0] ?? '0 violations');
  } finally {
    await browser.close();
  }
}

async function submit(page: Page): Promise<void> {
  await page.getByRole('radio', { name: /eos-physchem/ }).check();
  const lines = knownMolecules.map(({ smiles, name }) => `${smiles},${name}`);
  await page.getByLabel(/SMILES, one per line/).fill(['smiles,name', ...lines].join('\n'));
  await page.getByText(`${knownMolecules.length} rows. No problem found.`).waitFor();
  await page.getByRole('button', { name: 'Run the model' }).click();
}

async function downloadRows(page: Page): Promise<Record<string, string>[]> {
  const button = page.getByRole('button', { name: 'Download CSV' });
  await button.waitFor({ timeout: DONE_MS });
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return parse(await readFile(await download.path(), 'utf8'), { columns: true });
}

function isKnown(row: Record<string, string> | undefined, known: (typeof knownMolecules)[number]): boolean {
  if (row?.name !== known.name || row.key !== known.key || row.status !== 'ok') return false;
  return Object.entries(known.values).every(
    ([column, value]) => Math.abs(Number(row[column]) - value) <= KNOWN_TOLERANCE,
  );
}
