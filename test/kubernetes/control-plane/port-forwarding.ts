import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** Each message begins with the number of its channel; each channel begins with the port, in two bytes. */
const protocol = 'v4.channel.k8s.io';
const bytesChannel = 0;
const errorChannel = 1;

/** Carries connections to ports of pods, as a kubelet does: one channel for the bytes, one for what goes wrong. */
export class PortForwarding {
  readonly #addresses = new Map<string, string>();
  readonly #server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });

  /** From now on the pod is at this address; null when it is gone. */
  setAddress(namespace: string, pod: string, address: string | null): void {
    if (address === null) this.#addresses.delete(`${namespace}/${pod}`);
    else this.#addresses.set(`${namespace}/${pod}`, address);
  }

  /** Answers an upgrade of `/portForward/{namespace}/{pod}?port={port}`. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://kubelet');
    const [, what, namespace, pod] = pathname.split('/');
    const address = this.#addresses.get(`${namespace}/${pod}`);
    if (what !== 'portForward' || address === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (way) =>
      carry(way, address, Number(searchParams.get('port'))),
    );
  }

  close(): void {
    for (const way of this.#server.clients) way.terminate();
  }
}

function carry(way: WebSocket, host: string, port: number): void {
  const send = (channel: number, bytes: Buffer) => way.send(Buffer.concat([Buffer.of(channel), bytes]));
  const target = connect(port, host);
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16LE(port);
  for (const channel of [bytesChannel, errorChannel]) send(channel, portBytes);
  target.on('data', (bytes) => send(bytesChannel, bytes));
  target.on('error', (error) => send(errorChannel, Buffer.from(`${host}:${port}: ${error.message}`)));
  target.on('close', () => way.close());
  way.on('message', (message) => {
    const bytes = message as Buffer;
    if (bytes[0] === bytesChannel) target.write(bytes.subarray(1));
  });
  way.on('close', () => target.destroy());
}
