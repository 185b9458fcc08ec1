import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { apiSettings } from '../../api/api.config.js';
import { createLogReader, type LogReader } from '../../api/records/log-reader.js';
import { HostUnavailableError, type ObservedInstance } from '../../hosts/model-host.js';
import { askFixture, startLocalTestHost, type LocalTestHost } from '../hosts/local-test-host.js';
import { recordWatch } from '../hosts/record-watch.js';
import { waitUntil } from '../support/wait-until.js';

/** The api's way to logs, with a real host and a real instance. */
describe('the logs that the api reads', () => {
  let host: LocalTestHost;
  let reader: LogReader;
  let instance: ObservedInstance;
  beforeAll(async () => {
    host = await startLocalTestHost();
    reader = openReader(host.socketPath);
    const watch = recordWatch(host.client);
    instance = await watch.until(await host.client.createInstance(host.spec('serves')), ({ ready }) => ready);
    watch.close();
  });
  afterAll(async () => {
    await reader.close();
    await host.close();
  });

  const openReader = (socketPath: string) =>
    createLogReader(
      apiSettings.parse({ DATABASE_URL: 'postgres://none', LOCAL_HOST_SOCKET: socketPath }),
      () => Promise.reject(new Error('the instances of this machine need no identity of the hub')),
    );
  const print = (text: string) => askFixture(instance, `/fault/print?text=${text}`);
  /** A server answers before its host has read what it printed meanwhile. */
  const untilRead = async (text: string) => {
    let last: string | null = null;
    const look = async () => {
      last = await reader.readLogs(instance.instanceId, { tailLines: 1 });
      return new RegExp(`^\\S+Z ${text}\\n$`).test(last ?? '') || undefined;
    };
    await waitUntil(`the line ${text}`, look, {
      withinMs: 10_000,
      everyMs: 20,
      describe: () => last ?? 'none',
    });
  };

  it('X-A3: are as they are now, however often they are read', async () => {
    expect(await reader.readLogs(instance.instanceId)).not.toContain('once');
    for (const text of ['once', 'twice']) {
      await print(text);
      await untilRead(text);
    }
    expect(await reader.readLogs('unknown')).toBeNull();
  });

  it('are followed line by line until whoever reads has enough', async () => {
    const enough = new AbortController();
    const lines: string[] = [];
    let isOver = false;
    const reading = (async () => {
      for await (const line of reader.followLogs(instance.instanceId, enough.signal, { tailLines: 0 })) {
        lines.push(line.slice(line.indexOf(' ') + 1));
        if (lines.length === 2) enough.abort();
        else await print('second');
      }
    })().finally(() => (isOver = true));
    while (!isOver && lines.length === 0) await print('first');
    await reading;
    expect(lines[0]).toBe('first');
  });

  it('of a host that is not there are refused in words, not empty', async () => {
    const nobody = openReader(`${host.folder}/nobody.sock`);
    await expect(nobody.readLogs(instance.instanceId)).rejects.toThrow(HostUnavailableError);
    await nobody.close();
  });
});
