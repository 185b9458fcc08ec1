import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostUnavailableError } from '../model-host.js';
import { ClusterApi, ClusterRefusal } from './cluster-api.js';
import { readWatchLines, type WatchLine } from './watch-stream.js';

const longEnoughMs = 5000;

describe('the lines of a watch', () => {
  let server: Server;
  let api: ClusterApi;
  let answer: (response: ServerResponse) => void;
  let distrusted = 0;
  beforeAll(async () => {
    server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    api = new ClusterApi({
      server: url,
      config: new KubeConfig(),
      sign: async () => ({ headers: {} }),
      distrustConnections: () => void (distrusted += 1),
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function read(silenceMs = longEnoughMs, signal = new AbortController().signal) {
    const lines: (WatchLine | 'opened')[] = [];
    const failed = await (async () => {
      for await (const line of readWatchLines(api, { path: '/watch' }, signal, silenceMs)) lines.push(line);
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

  it('end with an error when the server falls silent, before its first word as after it', async () => {
    answer = () => undefined;
    expect(await read(50)).toEqual({ lines: [], failed: expect.any(HostUnavailableError) });
    answer = (response) => response.write('{"type":"BOOKMARK","object":{}}\n');
    const { lines, failed } = await read(50);
    expect(lines).toEqual(['opened', { type: 'BOOKMARK', object: {} }]);
    expect(failed).toBeInstanceOf(HostUnavailableError);
    expect(String(failed)).toMatch(/not a word for 50 ms/);
    // What else is open to that server may be dead too.
    expect(distrusted).toBe(2);
  });

  it('go on for as long as there is a word now and then', async () => {
    answer = (response) => {
      let words = 0;
      const timer = setInterval(() => {
        words += 1;
        response.write('{"type":"BOOKMARK","object":{}}\n');
        if (words < 5) return;
        clearInterval(timer);
        response.end();
      }, 100);
    };
    const { lines, failed } = await read(300);
    expect(failed).toBeUndefined();
    expect(lines).toHaveLength(6);
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
    expect((await read(longEnoughMs, closing.signal)).failed).toBeInstanceOf(HostUnavailableError);
  });
});
