import type { FastifyInstance } from 'fastify';

const LOOK_MS = 50;

/**
 * While the server closes, connections end as soon as nothing is under way on them. Node looks once only, so that a
 * client whose stream has just ended would keep the process for as long as its connection may idle.
 */
export function letGoOfIdle(fastify: FastifyInstance): void {
  fastify.addHook('preClose', (done) => {
    const looking = setInterval(() => fastify.server.closeIdleConnections(), LOOK_MS);
    fastify.server.once('close', () => clearInterval(looking));
    looking.unref();
    done();
  });
}
