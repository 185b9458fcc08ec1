import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { letGoOfIdle } from './let-go-of-idle.js';

describe('a server that closes', () => {
  let server: FastifyInstance;
  let port: number;
  let asked: PromiseWithResolvers<void>;
  beforeEach(async () => {
    server = fastify({ forceCloseConnections: false });
    letGoOfIdle(server);
    asked = Promise.withResolvers();
    server.get('/slow', async () => {
      asked.resolve();
      await sleep(300);
      return 'done';
    });
    port = Number(new URL(await server.listen({ port: 0, host: '127.0.0.1' })).port);
  });
  afterEach(() => server.server.closeAllConnections());

  const close = () =>
    Promise.race([server.close().then(() => 'closed'), sleep(3000, 'still open', { ref: false })]);

  it('does not wait for a client that connected and never asked for anything, as browsers do', async () => {
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'connect');
    expect(await close()).toBe('closed');
    silent.destroy();
  });

  it('gives the answer that is under way', async () => {
    const answer = fetch(`http://127.0.0.1:${port}/slow`).then((response) => response.text());
    await asked.promise;
    const closed = close();
    expect(await answer).toBe('done');
    expect(await closed).toBe('closed');
  });
});
