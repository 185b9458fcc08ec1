import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOK_MS = 50;

/**
 * While the server closes, connections end as soon as nothing is under way on them. Node looks once only, so that a
 * client whose stream has just ended would keep the process for as long as its connection may idle; and it never takes
 * one for idle on which nothing was asked yet, as browsers and connection pools open them ahead.
 */
export function letGoOfIdle(fastify: FastifyInstance): void {
  const { server } = fastify;
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  fastify.addHook('preClose', (done) => {
    const looking = setInterval(() => {
      server.closeIdleConnections();
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    }, LOOK_MS);
    server.once('close', () => clearInterval(looking));
    looking.unref();
    done();
  });
}
