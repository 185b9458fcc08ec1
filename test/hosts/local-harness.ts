import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createLocalModelHost } from '../../hosts/local/local-model-host.js';
import { askFixture, harmFixture, startLocalTestHost } from './local-test-host.js';
import type { ModelHostHarness } from './model-host-harness.js';

/** The local host as the contract suite wants it: faults by the fixture's own routes, a socket that can be cut. */
export async function makeLocalHarness(): Promise<ModelHostHarness> {
  // Ready instances are checked every second, so that one that hangs is found out soon.
  const host = await startLocalTestHost({ LOCAL_READINESS_INTERVAL_MS: '10' });
  const cutPath = join(host.folder, 'cut.sock');
  const cuttable = await startCuttableSocket(cutPath, host.socketPath);
  const fragileHost = createLocalModelHost({ socketPath: cutPath });
  return {
    host: host.client,
    fragileHost,
    spec: (behaviour) =>
      behaviour === 'too-large-for-any-node'
        ? host.spec('serves', { memoryRequestBytes: 2 ** 40, memoryLimitBytes: 2 ** 40 })
        : host.spec(behaviour),
    endServer: (instance, exitCode) => harmFixture(instance, `/fault/exit?code=${exitCode}`),
    exhaustMemory: (instance) => harmFixture(instance, '/fault/allocate?mib=1024'),
    print: async (instance, line) =>
      void (await askFixture(instance, `/fault/print?text=${encodeURIComponent(line)}`)),
    hang: async (instance) => {
      const { pid } = (await askFixture(instance, '/about')) as { pid: number };
      process.kill(pid, 'SIGSTOP');
      return async () => void process.kill(pid, 'SIGCONT');
    },
    whileUnreachable: async (action) => {
      await cuttable.cut();
      await action();
      await cuttable.restore();
    },
    close: async () => {
      await fragileHost.close();
      await cuttable.cut();
      await host.close();
    },
  };
}

/** A Unix socket that passes everything on to another one, until it is cut. */
async function startCuttableSocket(path: string, target: string) {
  const sockets = new Set<Socket>();
  let server: Server;
  const restore = () =>
    new Promise<void>((settle) => {
      server = createServer((near) => {
        const far = connect(target);
        for (const [socket, other] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(socket);
          socket.pipe(other);
          socket.on('error', () => other.destroy());
          socket.on('close', () => {
            other.destroy();
            sockets.delete(socket);
          });
        }
      }).listen(path, settle);
    });
  await restore();
  const cut = () =>
    new Promise<void>((settle) => {
      server.close(() => settle());
      for (const socket of sockets) socket.destroy();
    });
  return { cut, restore };
}
