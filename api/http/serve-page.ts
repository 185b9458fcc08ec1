import { stat } from 'node:fs/promises';
import { join, normalize, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const API_PATH = /^\/(api|livez|readyz|healthz)(\/|$)/;
const noPage = 'The web page is not built. Run npm run build, or use the API: /api/v1/docs\n';

/**
 * Serves the built page: its files, packed where the build left them so and the browser takes them, and `index.html` for
 * every other path outside the API, because the page has addresses of its own.
 */
export async function servePage(fastify: FastifyInstance, directory: string): Promise<void> {
  const root = resolve(directory);
  // Its own idea of how long a file may be kept would take the place of ours.
  const options = { root, serve: false, preCompressed: true, cacheControl: false, suppressWarning: true };
  await fastify.register(fastifyStatic, options);
  fastify.get<{ Params: { '*': string } }>('/*', async (request, reply) => {
    // What the router took for the path: the address itself may name a host before it. From `/` no `..` leads out.
    const path = normalize(`/${request.params['*']}`);
    if (API_PATH.test(path) || path.includes('\0')) return reply.callNotFound();
    const file = path.slice(1);
    if (await isFile(join(root, file))) return reply.headers(cacheOf(file)).sendFile(file);
    // A page from before an upgrade must not take this page for its script.
    if (file.startsWith('assets/')) return reply.callNotFound();
    if (await isFile(join(root, 'index.html')))
      return reply.headers(cacheOf('index.html')).sendFile('index.html');
    return reply.status(503).type('text/plain; charset=utf-8').send(noPage);
  });
}

/** Built assets carry a hash of their content in their names. */
const cacheOf = (file: string) => ({
  'cache-control': file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
});

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG') return null;
    throw error;
  });
  return found?.isFile() ?? false;
}
