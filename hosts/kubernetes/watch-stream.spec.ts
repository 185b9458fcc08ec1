import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostUnavailableError } from '../model-host.js';
import { ClusterApi, ClusterRefusal } from './cluster-api.js';
import type { Credentials } from './credentials.js';
import { readWatchLines, type WatchLine, type WatchPatience } from './watch-stream.js';

const longEnoughMs = 5000;

describe('the lines of a watch', () => {
  let server: Server;
  let api: ClusterApi;
  let answer: (response: ServerResponse) => void;
  let distrusted = 0;
  let sign: Credentials['sign'];
  beforeEach(() => {
    sign = async () => ({ headers: {} });
  });
  beforeAll(async () => {
    server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    api = new ClusterApi({
      server: url,
      config: new KubeConfig(),
      sign: (url) => sign(url),
      distrustConnections: () => void (distrusted += 1),
      distrustCredentials: () => undefined,
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function read(patience: Partial<WatchPatience> = {}, signal = new AbortController().signal) {
    const { openMs = longEnoughMs, silenceMs = longEnoughMs } = patience;
    const lines: (WatchLine | 'opened')[] = [];
    const failed = await (async () => {
      for await (const line of readWatchLines(api, { path: '/watch' }, signal, { openMs, silenceMs }))
        lines.push(line);
    })().catch((error: unknown) => error);
    return { lines, failed };
  }

  it('are the same however the bytes are cut', async () => {
    const object = fc.record({ metadata: fc.record({ name: fc.string({ unit: 'grapheme' }) }) });
    const lines = fc.array(fc.record({ type: fc.constant('ADDED' as const), object }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat({ max: 300 }), { maxLength: 8 }), async (told, cuts) => {
        const bytes = Buffer.from(told.map((line) => `${JSON.stringify(line)}\n`).join(''));
        const ends = [...cuts, bytes.length].filter((cut) => cut <= bytes.length).toSorted((a, b) => a - b);
        answer = (response) => {
          let from = 0;
          for (const end of ends) {
            response.write(bytes.subarray(from, end));
            from = end;
          }
          response.end();
        };
        expect(await read()).toEqual({ lines: ['opened', ...told], failed: undefined });
      }),
      { numRuns: 50 },
    );
  });

  it('end with an error when the server does not accept the watch, sooner than when it falls silent', async () => {
    const before = distrusted;
    answer = () => undefined;
    const { lines, failed } = await read({ openMs: 50 });
    expect(lines).toEqual([]);
    expect(failed).toBeInstanceOf(HostUnavailableError);
    expect(String(failed)).toMatch(/not a word for 50 ms/);
    expect(distrusted).toBeGreaterThan(before);
  });

  it('end with an error when the credentials do not come, and not only when the server does not', async () => {
    sign = () => new Promise(() => undefined);
    const { failed } = await read({ openMs: 50 });
    expect(failed).toBeInstanceOf(HostUnavailableError);
    expect(String(failed)).toMatch(/not a word for 50 ms/);
  });

  it('end with an error when the server falls silent', async () => {
    const before = distrusted;
    answer = (response) => response.write('{"type":"BOOKMARK","object":{}}\n');
    const { lines, failed } = await read({ silenceMs: 50 });
    expect(lines).toEqual(['opened', { type: 'BOOKMARK', object: {} }]);
    expect(failed).toBeInstanceOf(HostUnavailableError);
    expect(String(failed)).toMatch(/not a word for 50 ms/);
    // What else is open to that server may be dead too.
    expect(distrusted).toBeGreaterThan(before);
  });

  it('go on for as long as there is a word now and then', async () => {
    answer = (response) => {
      let words = 0;
      const timer = setInterval(() => {
        words += 1;
        response.write('{"type":"BOOKMARK","object":{}}\n');
        if (words < 12) return;
        clearInterval(timer);
        response.end();
      }, 100);
    };
    // All of them together take longer than a silence may.
    const { lines, failed } = await read({ silenceMs: 1000 });
    expect(failed).toBeUndefined();
    expect(lines).toHaveLength(13);
  });

  it('end with the reason when the server refuses, breaks off or writes something else', async () => {
    answer = (response) =>
      response.writeHead(429, { 'retry-after': '3' }).end('{"reason":"TooManyRequests"}');
    const { failed: refused } = await read();
    expect(refused).toBeInstanceOf(ClusterRefusal);
    expect(refused).toMatchObject({ status: 429, retryAfterMs: 3000, reason: 'TooManyRequests' });
    answer = (response) => response.writeHead(200).write('{"type":', () => response.destroy());
    expect((await read()).failed).toBeInstanceOf(HostUnavailableError);
    answer = (response) => response.end('<html>\n');
    expect((await read()).failed).toBeInstanceOf(HostUnavailableError);
  });

  it('end when they are told to', async () => {
    answer = (response) => response.flushHeaders();
    const closing = new AbortController();
    setTimeout(() => closing.abort(), 20);
    expect((await read({}, closing.signal)).failed).toBeInstanceOf(HostUnavailableError);
  });
});
