import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { boundLargeBodies, LARGE_BODIES_AT_ONCE } from './bound-large-bodies.js';
import type { Refusal } from './refusal.js';

describe('large bodies', () => {
  const server = fastify({ bodyLimit: 8_000_000 });
  let port = 0;
  beforeAll(async () => {
    boundLargeBodies(server);
    server.addContentTypeParser('text/csv', (_request, _payload, done) => done(null));
    server.setErrorHandler((error, _request, reply) => {
      const refusal = error as Refusal;
      void reply
        .status(refusal.getStatus())
        .headers({ ...refusal.headers })
        .send();
    });
    server.post('/', async () => 'taken');
    port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
  });
  const sockets: Socket[] = [];
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  /** A client that says how long its body is and sends as much of it as it is told to. */
  const send = async (length: number | 'chunked', sent: string, type = 'application/json') => {
    const size = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(`POST / HTTP/1.1\r\nHost: hub\r\nContent-Type: ${type}\r\n${size}\r\n\r\n${sent}`);
    return socket;
  };
  const statusOf = async (socket: Socket) => {
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return /^HTTP\/1\.1 (\d+)(?:[^]*retry-after: (\d+))?/.exec(answer.toString())?.slice(1);
  };
  const whole = `"${'x'.repeat(300_000)}"`;

  it('wait outside while many arrive, small ones and streams pass, and who goes makes room', async () => {
    const slow: Socket[] = [];
    for (let n = 0; n < LARGE_BODIES_AT_ONCE; n++)
      slow.push(await send(n % 2 ? 'chunked' : 7_000_000, n % 2 ? '' : '"'));
    const refused = await statusOf(await send(whole.length, whole));
    expect(refused).toEqual(['503', '1']);
    expect(await statusOf(await send('chunked', ''))).toEqual(['503', '1']);
    expect(await statusOf(await send(3, '"a"'))).toEqual(['200', undefined]);
    expect(await statusOf(await send(7_000_000, 'C', 'text/csv; charset=utf-8'))).toEqual(['200', undefined]);
    slow[0]!.destroy();
    // The server hears of it a moment later.
    let answer;
    do answer = await statusOf(await send(whole.length, whole));
    while (answer?.[0] === '503');
    expect(answer).toEqual(['200', undefined]);
  });
});
