import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { PortForward } from '@kubernetes/client-node';
import type { HostEvent, HostListener, ObservedInstance } from '../model-host.js';
import type { Credentials } from './credentials.js';

interface Forward {
  readonly server: Server;
  readonly address: string;
}

/**
 * Ways from this machine to model servers, for a hub that runs outside the cluster: one local port for each ready
 * instance, whose connections go through the API server. Slower than pod addresses; meant for development.
 */
export class PortForwards {
  readonly #forwarder: PortForward;
  readonly #warn: (text: string) => void;
  readonly #byUid = new Map<string, Forward>();
  readonly #sockets = new Set<Socket>();
  /** Opening a port takes a moment: events wait for it, and behind one another. */
  #order: Promise<void> = Promise.resolve();

  constructor({ config }: Credentials, warn: (text: string) => void) {
    this.#forwarder = new PortForward(config);
    this.#warn = warn;
  }

  /** A listener that hears the same with local addresses in place of those of pods, in the same order. */
  passOn(listener: HostListener): HostListener {
    return (event) => {
      this.#order = this.#order
        .then(async () => listener(await this.#translate(event)))
        .catch((error: unknown) => this.#warn(`an instance could not be forwarded to: ${String(error)}`));
    };
  }

  async close(): Promise<void> {
    await this.#order;
    for (const uid of this.#byUid.keys()) this.#end(uid);
    for (const socket of this.#sockets) socket.destroy();
  }

  async #translate(event: HostEvent): Promise<HostEvent> {
    if (event.type === 'listed') {
      const uids = new Set(event.instances.map(({ uid }) => uid));
      for (const uid of this.#byUid.keys()) if (!uids.has(uid)) this.#end(uid);
      return { type: 'listed', instances: await Promise.all(event.instances.map((i) => this.#reach(i))) };
    }
    if (event.type === 'gone') this.#end(event.instance.uid);
    else return { type: 'changed', instance: await this.#reach(event.instance) };
    return event;
  }

  async #reach(instance: ObservedInstance): Promise<ObservedInstance> {
    if (instance.address === null) return instance;
    const forward = this.#byUid.get(instance.uid) ?? (await this.#open(instance));
    this.#byUid.set(instance.uid, forward);
    return { ...instance, address: forward.address };
  }

  async #open({ pod, address }: ObservedInstance): Promise<Forward> {
    const port = Number(address?.slice(address.lastIndexOf(':') + 1));
    const server = createServer((socket) => void this.#connect(socket, pod.namespace, pod.name, port));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  async #connect(socket: Socket, namespace: string, pod: string, port: number): Promise<void> {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // The caller went away; its own side notices.
    socket.on('error', () => socket.destroy());
    try {
      const faults = tellFaults((fault) => this.#warn(`port ${port} of the pod ${pod}: ${fault}`));
      const way = await this.#forwarder.portForward(namespace, pod, [port], socket, faults, socket);
      if (typeof way !== 'function') endTogether(socket, way);
    } catch (error) {
      this.#warn(
        `port ${port} of the pod ${pod} can't be reached through the API server (${wordsOf(error)}): the account needs to create pods/portforward, see deploy/kubernetes/port-forward.yaml`,
      );
      socket.destroy();
    }
  }

  #end(uid: string): void {
    this.#byUid.get(uid)?.server.close();
    this.#byUid.delete(uid);
  }
}

/** What the pod's node says of a connection that it could not make, or lost. */
function tellFaults(tell: (fault: string) => void): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length > 0) tell(chunk.toString());
      done();
    },
  });
}

/** The client library passes on bytes only: a connection that one side ended would stay open at the other. */
function endTogether(socket: Socket, way: { onclose: unknown; close(): void }): void {
  way.onclose = () => socket.end();
  socket.on('close', () => way.close());
  if (socket.destroyed) way.close();
}

/** What failed to connect is told by an event of the socket, which is no Error. */
function wordsOf(error: unknown): string {
  const { message } = error as { readonly message?: string };
  return message ?? String(error);
}
