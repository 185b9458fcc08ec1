import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { MoleculeThreads } from '../../chemistry/molecule-threads.js';
import { threadFile } from '../../chemistry/thread-file.js';
import { parseSettings } from '../../domain/settings.js';
import { createModelServer } from './model-server.js';
import { modelServerSettings } from './model-server.config.js';
import type { LocalModelId } from './model-thread.main.js';

/**
 * Serves one of our models until SIGTERM. Molecules are computed in one thread of its own, so that health checks
 * are answered at once and a molecule that never ends costs its row.
 * @throws Error when the thread can't start or the port is taken.
 */
export async function serveModel(modelId: LocalModelId): Promise<void> {
  const { HOST, PORT } = parseSettings(modelServerSettings, process.env);
  const threads = new MoleculeThreads({
    file: threadFile('model-thread.main.js', import.meta.url),
    threads: 1,
    workerData: { modelId },
    onLoss: (message) => console.error(message),
  });
  const [version = ''] = await threads.answer({ name: 'version' }, [''], '');
  const server = createModelServer({
    id: modelId,
    version,
    compute: (texts, signal) => threads.answer({ name: 'compute' }, texts, 'null', signal),
  });
  server.listen(PORT, HOST);
  await once(server, 'listening');
  console.log(`${modelId} ${version} listens on ${HOST}:${(server.address() as AddressInfo).port}`);

  const stop = (signal: string): void => {
    console.log(`${modelId} stops: ${signal}`);
    server.close();
    server.closeAllConnections();
    void threads.close();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}
