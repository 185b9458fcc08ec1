import fc from 'fast-check';
import { startBrowser } from '../test/support/browser.js';
import { HubClient } from '../test/support/hub-client.js';
import { startProofHub } from './proof-hub.js';
import type { Proof, ProofContext } from './proof.js';
import { type ApiDocument, operations, type WrongCall, wrongCalls } from './wrong-inputs.js';

const SHOWN_MS = 20_000;
const DOCUMENT = '/api/v1/openapi.json';

/** The documentation needs no other host, and whoever sends nonsense is told where it is. */
export const documentation: Proof = {
  name: 'main-12',
  title: 'Swagger UI without an outside request; wrong input gets a 4xx that names the field',
  async run(context) {
    const hub = await startProofHub({ models: [] });
    try {
      // A guest would be refused some operations before anything is said of the input.
      const client = await HubClient.asUser(hub.stack.url, 'admin', hub.stack.adminPassword ?? '');
      const document = (await (await client.fetch(DOCUMENT)).json()) as ApiDocument;
      await proveSwagger(context, hub.stack.url, document);
      await proveWrongCalls(context, client, document);
      await proveNonsense(context, client, document);
      const complaints = hub.stack.output
        .split('\n')
        .filter((line) => line.startsWith('[api]') && /\berror\b/i.test(line));
      context.claim('the api logs no error', complaints.length === 0, complaints[0]);
    } finally {
      await hub.stop();
    }
  },
};

async function proveSwagger({ claim }: ProofContext, url: string, document: ApiDocument): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    const outside: string[] = [];
    const errors: string[] = [];
    await page.route('**/*', async (route) => {
      const asked = route.request().url();
      if (asked.startsWith(url) || asked.startsWith('data:')) return route.continue();
      outside.push(asked);
      return route.abort();
    });
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${url}/api/v1/docs`);
    const described = operations(document).length;
    await page
      .locator('.opblock')
      .nth(described - 1)
      .waitFor({ timeout: SHOWN_MS });
    const shown = await page.locator('.opblock').count();
    claim(
      'Swagger UI shows every operation',
      shown === described && described > 0,
      `${shown} of ${described}`,
    );

    const livez = page.locator('.opblock').filter({ hasText: '/livez' });
    await livez.locator('button.opblock-summary-control').click();
    await livez.getByRole('button', { name: 'Try it out' }).click();
    await livez.getByRole('button', { name: 'Execute' }).click();
    const status = livez.locator('.live-responses-table .response-col_status').nth(1);
    await status.waitFor({ timeout: SHOWN_MS });
    const answered = (await status.innerText()).trim();
    claim('its “Try it out” calls the hub', answered.startsWith('200'), answered);
    claim('no request leaves the hub', outside.length === 0, outside[0]);
    claim('the page has no error', errors.length === 0, errors[0]);
  } finally {
    await browser.close();
  }
}

interface Judged {
  readonly call: string;
  readonly status: number;
  readonly text: string;
}

async function send(
  client: HubClient,
  call: Pick<WrongCall, 'method' | 'path'> & { body?: string | Uint8Array<ArrayBuffer> },
  type = 'application/json',
): Promise<Judged> {
  const response = await client.fetch(call.path, {
    method: call.method,
    ...(call.body !== undefined && { body: call.body, headers: { 'content-type': type } }),
  });
  return {
    call: `${call.method} ${call.path} ${String(call.body ?? '').slice(0, 120)}`,
    status: response.status,
    text: await response.text(),
  };
}

const hasTrace = (text: string) => /\bat .+\.(js|ts):\d+|node_modules/.test(text);
const describe = ({ call, status, text }: Judged) => `${call} → ${status} ${text.slice(0, 200)}`;

async function proveWrongCalls(
  { say, claim }: ProofContext,
  client: HubClient,
  document: ApiDocument,
): Promise<void> {
  const calls = wrongCalls(document);
  const accepted: string[] = [];
  const unnamed: string[] = [];
  const traces: string[] = [];
  for (const call of calls) {
    const judged = await send(client, call);
    if (judged.status < 400 || judged.status > 499) accepted.push(`${call.fault}: ${describe(judged)}`);
    else if (!judged.text.includes(call.field)) unnamed.push(`${call.fault}: ${describe(judged)}`);
    if (hasTrace(judged.text)) traces.push(describe(judged));
  }
  say('fields given wrong values', `${new Set(calls.map(({ field }) => field)).size}, ${calls.length} calls`);
  claim('every wrong value gets a 4xx', accepted.length === 0, accepted[0] ?? calls.length);
  claim('every answer names the field', unnamed.length === 0, unnamed[0]);
  claim('no answer holds a stack trace', traces.length === 0, traces[0]);
}

/** A call that means nothing: any operation, any path and query, any body of any type. */
function nonsenseFor(document: ApiDocument) {
  const routes = operations(document).filter(({ path }) => !/logout|refresh|events/.test(path));
  const odd = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.toWellFormed()),
    fc.constantFrom('%', '../..', '0x10', '-1', '9'.repeat(40), "'; drop table model; --"),
  );
  return fc.record({
    route: fc.constantFrom(...routes),
    id: odd,
    query: odd,
    body: fc.oneof(
      fc.json({ maxDepth: 5, stringUnit: 'binary' }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
    ),
    type: fc.constantFrom(
      'application/json',
      'text/csv',
      'chemical/x-daylight-smiles',
      'image/png',
      'a/b; c',
    ),
  });
}

/** The name of an operation's first query parameter. */
function queryParameterOf({ operation }: ReturnType<typeof operations>[number]): string | undefined {
  return operation.parameters?.find(({ in: place }) => place === 'query')?.name;
}

/** Anything at all, to every operation: JSON of any shape, bytes, and odd queries. */
async function proveNonsense(
  { small, seed, say, claim }: ProofContext,
  client: HubClient,
  document: ApiDocument,
): Promise<void> {
  const runs = small ? 150 : 3_000;
  const failures: string[] = [];
  const statuses = new Map<number, number>();
  for (const { route, id, query, body, type } of fc.sample(nonsenseFor(document), { seed, numRuns: runs })) {
    const parameter = queryParameterOf(route) ?? 'x';
    const path = route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(id) || '0');
    const call = { method: route.method, path: `${path}?${parameter}=${encodeURIComponent(query)}` };
    const judged = await send(client, route.method === 'POST' ? { ...call, body } : call, type);
    statuses.set(judged.status, (statuses.get(judged.status) ?? 0) + 1);
    if (judged.status >= 500 || hasTrace(judged.text)) failures.push(describe(judged));
  }
  say(
    'answers to nonsense',
    [...statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${count} × ${status}`)
      .join(', '),
  );
  claim('nonsense never gets a 5xx nor a stack trace', failures.length === 0, failures[0] ?? runs);
}
