import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../../support/require-part.js';
import type { ApiClient, WatchEvent } from './api-client.js';
import { clientOf } from './client-of.js';
import { type ControlPlane, startControlPlane } from './control-plane.js';
import type { FaultProxy } from './fault-proxy.js';

describeWith('kubernetes')('a way to the API server that can be broken', () => {
  let plane: ControlPlane;
  let proxy: FaultProxy;
  let client: ApiClient;
  beforeAll(async () => {
    plane = await startControlPlane();
    proxy = await plane.proxy();
  }, 120_000);
  beforeEach(async () => {
    client?.close();
    proxy.pass();
    client = clientOf(await proxy.kubeconfig('admin'));
  });
  afterAll(async () => {
    client?.close();
    await plane?.stop();
  });

  /** Follows the namespaces through the proxy, from the first event on. */
  async function watching() {
    const events: WatchEvent[] = [];
    const ended = client.watch('/api/v1/namespaces?watch=true', (event) => events.push(event), never.signal);
    const outcome = ended.then(
      () => 'ended',
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );
    while (events.length === 0) await sleep(5);
    return { events, outcome };
  }
  const never = new AbortController();
  const nameOf = (object: unknown) => (object as { metadata?: { name?: string } }).metadata?.name;
  const createNamespace = (name: string, by: ApiClient = client) =>
    by.ask('POST', '/api/v1/namespaces', { metadata: { name } });

  it('passes everything on, as it comes', async () => {
    const { events } = await watching();
    await createNamespace('passed-on', plane.admin);
    // What there was before is told too, one after the other.
    const isPassedOn = ({ object }: WatchEvent) => nameOf(object) === 'passed-on';
    while (!events.some(isPassedOn)) await sleep(5);
    expect(events.find(isPassedOn)).toMatchObject({ type: 'ADDED' });
    expect(proxy.requests.at(-1)).toMatchObject({ path: '/api/v1/namespaces', isWatch: true });
  });

  it('resets what is open', async () => {
    const { outcome } = await watching();
    proxy.reset();
    expect(await outcome).toBe('ECONNRESET');
    expect(await client.ask('GET', '/readyz')).toBe('ok');
  });

  it.each([429, 500])('answers %d for a while', async (status) => {
    const { outcome } = await watching();
    proxy.fail(status, 60_000);
    await outcome;
    await expect(client.ask('GET', '/readyz')).rejects.toMatchObject({ code: status });
    proxy.pass();
    expect(await client.ask('GET', '/readyz')).toBe('ok');
  });

  it('falls silent on what is open, for ever, and lets new connections through afterwards', async () => {
    const { events, outcome } = await watching();
    proxy.stall(100);
    await createNamespace('unheard', plane.admin);
    await sleep(200);
    expect(events.filter(({ object }) => JSON.stringify(object).includes('unheard'))).toEqual([]);
    expect(await Promise.race([outcome, sleep(20, 'open')])).toBe('open');
    const later = clientOf(await proxy.kubeconfig('admin'));
    expect(await later.ask('GET', '/readyz')).toBe('ok');
    later.close();
  });

  it('says once that a watch asks for too old a version', async () => {
    proxy.expireNextWatch();
    const { events, outcome } = await watching();
    expect(await outcome).toBe('ended');
    expect(events).toEqual([{ type: 'ERROR', object: expect.objectContaining({ code: 410 }) }]);
    expect((await watching()).events[0]).toMatchObject({ type: 'ADDED' });
  });

  it('loses a reply whose work was done', async () => {
    proxy.loseNextReply('POST');
    await expect(createNamespace('done-unheard')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await client.ask('GET', '/api/v1/namespaces/done-unheard')).toHaveProperty('metadata');
    await expect(createNamespace('done-unheard')).rejects.toMatchObject({ code: 409 });
  });
});
