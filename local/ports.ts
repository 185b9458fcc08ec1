import { createServer } from 'node:net';

/** Can this process listen on the port now? Anything but "taken" or "not allowed" is thrown. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  return (await tryListening(port, host)) !== undefined;
}

/** Ports that were given out: nobody may listen yet on one of them, and the kernel may name it once more. */
const given = new Set<number>();

/** A TCP port that nothing listens on now, each time another one. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = await tryListening(0, host);
    if (port === undefined) throw new Error(`no free TCP port on ${host}`);
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/**
 * The ports recorded by the last start where they are still free, new ones elsewhere; all different.
 * @param spokenFor ports that nobody listens on yet, and that somebody else will
 */
export async function choosePorts<Name extends string>(
  names: readonly Name[],
  recorded: Partial<Record<Name, number>>,
  spokenFor: readonly number[] = [],
): Promise<Record<Name, number>> {
  const chosen = new Map<Name, number>();
  const isSpokenFor = (port: number) => spokenFor.includes(port) || [...chosen.values()].includes(port);
  for (const name of names) {
    const last = recorded[name];
    const reusable = last !== undefined && !isSpokenFor(last) && (await isPortFree(last, '127.0.0.1'));
    let port = reusable ? last : await freePort();
    while (isSpokenFor(port)) port = await freePort();
    chosen.set(name, port);
  }
  return Object.fromEntries(chosen) as Record<Name, number>;
}

/** Listens for a moment; undefined when the port is taken, or below 1024 and not ours to take. */
function tryListening(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}
