import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ReadinessChecks } from './instance-readiness.js';

/** Ready instances are then checked every 200 ms, and each check may take as long. */
const BASE_MS = 2;
const READY_CHECK_MS = 200;

describe('the health checks of an instance', () => {
  let server: Server;
  let driver: NodeJS.Timeout;
  let checks: ReadinessChecks;
  let told: boolean[];
  /** What the server does with a check. */
  let conduct: (response: ServerResponse) => void;
  let asked: number;
  /** How often it had been asked when it was last told. */
  let askedBefore: number;
  const pass = (response: ServerResponse) => void response.writeHead(204).end();
  const refuse = (response: ServerResponse) => void response.writeHead(503).end();
  const hang = () => undefined;

  beforeEach(async () => {
    [conduct, asked, told] = [pass, 0, []];
    server = createServer((_, response) => {
      asked += 1;
      conduct(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    checks = new ReadinessChecks(BASE_MS);
    checks.add('uid', (server.address() as AddressInfo).port, performance.now(), (ready) => {
      told.push(ready);
      askedBefore = asked;
    });
    driver = setInterval(() => checks.check(performance.now()), BASE_MS);
  });
  afterEach(() => {
    clearInterval(driver);
    server.closeAllConnections();
    server.close();
  });

  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(2);
  };
  const ready = () => until(() => told.at(-1) === true);

  it('go on gently once it is ready, and tell nothing while it stays so', async () => {
    conduct = refuse;
    await until(() => asked >= 5);
    expect([told, checks.areFrequent]).toEqual([[], true]);
    conduct = pass;
    await ready();
    expect(checks.areFrequent).toBe(false);
    asked = 0;
    const began = performance.now();
    await until(() => asked === 4);
    expect(performance.now() - began).toBeGreaterThan(2.5 * READY_CHECK_MS);
    expect(told).toEqual([true]);
  });

  it.each([
    ['hangs', hang],
    ['refuses', refuse],
  ])('forgive a server that %s twice on end, and tell it after the third time', async (_, misses) => {
    await ready();
    asked = 0;
    conduct = (response) => (asked <= 2 ? misses(response) : pass(response));
    // The fourth is asked after the third was found good.
    await until(() => asked === 4);
    expect(told).toEqual([true]);
    conduct = misses;
    asked = 0;
    await until(() => told.length === 2);
    expect(told).toEqual([true, false]);
    expect(askedBefore).toBe(3);
  });

  it('know a server as ready again the moment it answers, since one check stays open', async () => {
    await ready();
    let open: ServerResponse | undefined;
    // The check that stays open is the first one after the verdict, which may be asked in the same millisecond.
    conduct = (response) => void (told.length === 2 && (open = response));
    await until(() => open !== undefined);
    await sleep(2 * READY_CHECK_MS);
    expect([asked - askedBefore, told]).toEqual([1, [true, false]]);
    pass(open!);
    await until(() => told.length === 3);
    expect(told).toEqual([true, false, true]);
  });

  it('end with the instance: an answer that comes later is told to nobody', async () => {
    let open: ServerResponse | undefined;
    conduct = (response) => (open = response);
    await until(() => open !== undefined);
    checks.remove('uid');
    pass(open!);
    await sleep(50);
    expect([told, checks.areFrequent]).toEqual([[], false]);
  });
});
