import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { RequestEvent } from '../domain/work-request/work-request.wire.js';
import { StubHub } from '../test/support/stub-hub.js';
import { sampleLogin, sampleRequest } from '../test/support/wire-samples.js';
import { runExample } from './run-example.js';

const requestPath = '/api/work-requests/42';
let hub: StubHub;
beforeAll(async () => {
  hub = await StubHub.start();
});
afterEach(() => hub.reset());
afterAll(() => hub.close());

const event = (event_no: number, type: RequestEvent['type']) =>
  `event: ${type}\nid: ${event_no}\ndata: ${JSON.stringify({ request_id: 42, event_no, type, at: '2026-02-03T04:05:06.123456Z', details: {} })}\n\n`;

/** A hub that takes the example and answers each look at its events in the next of these ways. */
function takeExample(...looks: ((response: ServerResponse) => void)[]): void {
  const away = { status: 503, body: { detail: 'The database is away' } };
  let reads = 0;
  hub
    .on('POST /api/auth/anonymous-login', { body: sampleLogin() })
    .on('POST /api/work-requests', { body: sampleRequest() })
    .on(`GET ${requestPath}/events`, () => {
      const body = looks.shift();
      return body ? { headers: { 'content-type': 'text/event-stream' }, body } : { status: 404 };
    })
    .on(`GET ${requestPath}`, ({ query }) => {
      reads += 1;
      if (reads === 1) return away;
      return { body: query.has('format') ? 'the result' : sampleRequest({ request_status: 'COMPLETED' }) };
    });
}

const run = async () => {
  const told: string[] = [];
  const result = await runExample(hub.url, { modelId: 'eos-physchem', csv: 'smiles\nC\n' }, (line) =>
    told.push(line),
  );
  return { told, result };
};

describe('an example that is sent to a hub', () => {
  it('is told to its end, each event once, although streams are cut, end early or find the database away', async () => {
    const cut = (response: ServerResponse) => response.write(event(1, 'submitted'), () => response.destroy());
    const endEarly = (response: ServerResponse) => response.end(event(2, 'running'));
    const refuse = (response: ServerResponse) => response.destroy();
    takeExample(cut, refuse, endEarly, (response) => response.end(event(3, 'completed')));
    const { told, result } = await run();
    expect(told.slice(2)).toEqual([
      '04:05:06.123  1. submitted',
      '04:05:06.123  2. running',
      '04:05:06.123  3. completed',
    ]);
    expect(result).toBe('the result');
    const since = hub.callsOf(`GET ${requestPath}/events`).map(({ headers }) => headers['last-event-id']);
    expect(since).toEqual(['0', '1', '1', '2']);
  });

  it('ends at once with what the hub refuses', async () => {
    takeExample();
    await expect(run()).rejects.toThrow(`GET ${hub.url}${requestPath}/events answered 404`);
    expect(hub.callsOf(`GET ${requestPath}/events`)).toHaveLength(1);
  });
});
