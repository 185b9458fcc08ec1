import { expect, it } from '@jest/globals';
import type { ContractParts } from './model-host-harness.js';
import { collect } from './record-watch.js';

/** What a host gives of the words of its instances. */
export function describeLogs(parts: () => ContractParts): void {
  it('gives the log by window and by tail, after the end and after deletion too', async () => {
    const { harness, host, watch, startReady, remove } = parts();
    const ready = await startReady();
    await harness.print(ready, 'before the lease');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const since = new Date().toISOString();
    await harness.print(ready, 'in the lease');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const until = new Date().toISOString();
    await harness.print(ready, 'after the lease');
    const window = await host.readLogs(ready.instanceId, { since, until });
    expect(window).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z in the lease\n$/);
    expect(await host.readLogs(ready.instanceId, { tailLines: 1 })).toMatch(/^\S+ after the lease\n$/);
    await harness.endServer(ready, 0);
    await watch.until(ready, (instance) => instance.phase === 'Succeeded');
    expect(await host.readLogs(ready.instanceId)).toMatch(/before the lease[\s\S]*after the lease/);
    await remove(ready);
    expect(await host.readLogs('never-created')).toBeNull();
    expect(await host.readLogs('never-created', { tailLines: 0 })).toBeNull();
  });

  it('follows a log from its beginning to the end of the instance, or until told to stop', async () => {
    const { harness, host, startReady, remove } = parts();
    const ready = await startReady();
    await harness.print(ready, 'first');
    const stop = new AbortController();
    const [stopped, whole] = [new Array<string>(), new Array<string>()];
    const stoppedEnd = collect(host.followLogs(ready.instanceId, stop.signal), stopped, (line) => {
      if (line.includes('second')) stop.abort();
    });
    const wholeEnd = collect(host.followLogs(ready.instanceId, new AbortController().signal), whole);
    await harness.print(ready, 'second');
    await stoppedEnd;
    await harness.print(ready, 'third');
    await harness.endServer(ready, 0);
    await wholeEnd;
    expect(stopped.join('\n')).not.toContain('third');
    expect(whole.join('\n')).toMatch(/first[^]*second[^]*third/);
    await remove(ready);
  });

  it('gives the beginning of a log, and follows it from its last lines', async () => {
    const { harness, host, startReady, remove } = parts();
    const ready = await startReady();
    for (const line of ['one', 'two', 'three']) await harness.print(ready, line);
    const head = (await host.readLogs(ready.instanceId, { headLines: 1 })) ?? '';
    expect(head.split('\n')).toHaveLength(2);
    expect((await host.readLogs(ready.instanceId))?.startsWith(head)).toBe(true);
    const [stop, lines] = [new AbortController(), new Array<string>()];
    await collect(host.followLogs(ready.instanceId, stop.signal, { tailLines: 1 }), lines, () =>
      stop.abort(),
    );
    expect(lines).toEqual([expect.stringMatching(/ three$/)]);
    await remove(ready);
  });
}
