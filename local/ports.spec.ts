import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { choosePorts, freePort, isPortFree } from './ports.js';

async function whileTaken(port: number, work: () => Promise<void>): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  await work();
  await new Promise((closed) => server.close(closed));
}

describe('ports', () => {
  it('are free until something listens', async () => {
    const port = await freePort();
    expect(await isPortFree(port, '127.0.0.1')).toBe(true);
    await whileTaken(port, async () => expect(await isPortFree(port, '127.0.0.1')).toBe(false));
  });

  it('are given out once, though nobody listens on them yet', async () => {
    const ports = await Promise.all(Array.from({ length: 1000 }, () => freePort()));
    expect(new Set(ports).size).toBe(1000);
  });

  it('that were recorded are used again', async () => {
    const recorded = { a: await freePort(), b: await freePort() };
    expect(await choosePorts(['a', 'b'], recorded)).toEqual(recorded);
  });

  it('that were taken meanwhile are replaced', async () => {
    const recorded = { a: await freePort(), b: await freePort() };
    await whileTaken(recorded.a, async () => {
      const chosen = await choosePorts(['a', 'b'], recorded);
      expect(chosen.a).not.toBe(recorded.a);
      expect(chosen.b).toBe(recorded.b);
    });
  });

  it('are all different, also when a damaged record names one twice', async () => {
    const port = await freePort();
    const chosen = await choosePorts(['a', 'b'], { a: port, b: port });
    expect(new Set(Object.values(chosen)).size).toBe(2);
  });

  it('are never those that somebody else will listen on', async () => {
    const port = await freePort();
    const chosen = await choosePorts(['a'], { a: port }, [port]);
    expect(chosen.a).not.toBe(port);
  });
});
