import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortForward } from '@kubernetes/client-node';
import type { HostEvent, HostListener, ObservedInstance } from '../model-host.js';
import type { Credentials } from './credentials.js';

/** A port that could not be opened is tried again after so long. */
const TRY_AGAIN_MS = 500;
/** Older than anything the cluster says: an instance that is named so is there, and nothing is known of it yet. */
const NOTHING_KNOWN = 0;

interface Forward {
  readonly server: Server;
  readonly address: string;
}

/** Instances by uid, as they were seen last, that no port could be opened for. */
type Unreached = Map<string, ObservedInstance>;

/**
 * Ways from this machine to model servers, for a hub that runs outside the cluster: one local port for each ready
 * instance, whose connections go through the API server. Slower than pod addresses; meant for development.
 */
export class PortForwards {
  readonly #credentials: Pick<Credentials, 'config'>;
  readonly #warn: (text: string) => void;
  readonly #byUid = new Map<string, Forward>();
  readonly #sockets = new Set<Socket>();
  readonly #listen: (server: Server) => Promise<void>;
  readonly #closing = new AbortController();
  /** Opening a port takes a moment: events wait for it, and behind one another. */
  #order: Promise<void> = Promise.resolve();

  /** @param listen opens a free port of this machine for a server */
  constructor(
    credentials: Pick<Credentials, 'config'>,
    warn: (text: string) => void,
    listen = listenOnLoopback,
  ) {
    this.#credentials = credentials;
    this.#warn = warn;
    this.#listen = listen;
  }

  /**
   * A listener that hears the same with local addresses in place of those of pods, in the same order. Of an instance
   * that no port can be opened for it hears as soon as there is one; a list names it meanwhile, with nothing known.
   */
  passOn(listener: HostListener): HostListener {
    const unreached: Unreached = new Map();
    const pass = async (event: HostEvent) => {
      const told = await this.#translate(event, unreached);
      if (told) listener(told);
    };
    const passUnreached = async () => {
      for (const instance of unreached.values()) await pass({ type: 'changed', instance });
    };
    let isWaiting = false;
    const inOrder = (step: () => Promise<void>) => {
      this.#order = this.#order
        .then(step)
        .catch((error: unknown) => this.#warn(`an event of an instance got lost: ${String(error)}`))
        .then(() => {
          if (unreached.size === 0 || isWaiting) return;
          isWaiting = true;
          void sleep(TRY_AGAIN_MS, undefined, { signal: this.#closing.signal }).then(
            () => {
              isWaiting = false;
              inOrder(passUnreached);
            },
            () => undefined,
          );
        });
    };
    return (event) => inOrder(() => pass(event));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#order;
    for (const uid of this.#byUid.keys()) this.#end(uid);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Null while there is nothing to be told. */
  async #translate(event: HostEvent, unreached: Unreached): Promise<HostEvent | null> {
    if (event.type === 'listed') {
      const uids = new Set(event.instances.map(({ uid }) => uid));
      for (const uid of this.#byUid.keys()) if (!uids.has(uid)) this.#end(uid);
      for (const uid of unreached.keys()) if (!uids.has(uid)) unreached.delete(uid);
      const reached = await Promise.all(event.instances.map((one) => this.#reach(one, unreached)));
      return { type: 'listed', instances: event.instances.map((one, index) => reached[index] ?? named(one)) };
    }
    if (event.type === 'gone') {
      unreached.delete(event.instance.uid);
      this.#end(event.instance.uid);
      return event;
    }
    const instance = await this.#reach(event.instance, unreached);
    return instance && { type: 'changed', instance };
  }

  /** Null when no port can be opened for it just now. */
  async #reach(instance: ObservedInstance, unreached: Unreached): Promise<ObservedInstance | null> {
    const { uid, address, pod } = instance;
    try {
      const reached =
        address === null ? instance : { ...instance, address: await this.#localAddress(instance) };
      unreached.delete(uid);
      return reached;
    } catch (error) {
      if (!unreached.has(uid)) {
        this.#warn(
          `no local port could be opened for the pod ${pod.name} (${wordsOf(error)}); trying again until there is one`,
        );
      }
      unreached.set(uid, instance);
      return null;
    }
  }

  async #localAddress(instance: ObservedInstance): Promise<string> {
    const forward = this.#byUid.get(instance.uid) ?? (await this.#open(instance));
    this.#byUid.set(instance.uid, forward);
    return forward.address;
  }

  async #open({ pod, address }: ObservedInstance): Promise<Forward> {
    const port = Number(address?.slice(address.lastIndexOf(':') + 1));
    const server = createServer((socket) => void this.#connect(socket, pod.namespace, pod.name, port));
    await this.#listen(server);
    return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  async #connect(socket: Socket, namespace: string, pod: string, port: number): Promise<void> {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // The caller went away; its own side notices.
    socket.on('error', () => socket.destroy());
    try {
      const faults = tellFaults((fault) => this.#warn(`port ${port} of the pod ${pod}: ${fault}`));
      const forwarder = new PortForward(this.#credentials.config);
      const way = await forwarder.portForward(namespace, pod, [port], socket, faults, socket);
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

function listenOnLoopback(server: Server): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

/** As it stands in a list while its news is held back: not lost, and not to be used. */
function named(instance: ObservedInstance): ObservedInstance {
  return { ...instance, address: null, ready: false, readyAt: null, resourceVersion: NOTHING_KNOWN };
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
