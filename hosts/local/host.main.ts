import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSettings } from '../../domain/settings.js';
import { mebibytesToBytes } from '../../domain/units.js';
import { claimHostFolder, endLeftovers } from './host-identity.js';
import { InstanceBoard } from './instance-board.js';
import { InstanceFolders } from './instance-record.js';
import { InstanceRunner } from './instance-runner.js';
import { localHostSettings } from './local-host.config.js';
import { LocalInstances } from './local-instances.js';
import { ModelCommands } from './model-commands.js';
import { serveLocalHost } from './serve-local-host.js';

/** The local host: runs model instances as child processes of this machine and serves them on a Unix socket. */
const settings = parseSettings(localHostSettings, process.env);
const warn = (text: string) => console.error(text);

const folder = resolve(settings.HUB_DATA_DIR, 'local-host');
mkdirSync(folder, { recursive: true, mode: 0o700 });
const hostId = claimHostFolder(folder);
const folders = new InstanceFolders(join(folder, 'instances'), warn);
const records = folders.load();
const leftovers = await endLeftovers(hostId, records);
if (leftovers > 0) warn(`ended ${leftovers} processes that an earlier local host left running`);

const runner = new InstanceRunner({
  hostId,
  sampleIntervalMs: settings.LOCAL_SAMPLE_INTERVAL_MS,
  readinessIntervalMs: settings.LOCAL_READINESS_INTERVAL_MS,
  logCapBytes: settings.LOCAL_LOG_CAP_BYTES,
  warn,
});
const board = new InstanceBoard(folders, records);
const nodes = {
  count: settings.LOCAL_NODES,
  cpuMillicores: settings.LOCAL_NODE_CPU_MILLICORES,
  memoryBytes: mebibytesToBytes(settings.LOCAL_NODE_MEMORY_MIB),
};
const commands = new ModelCommands(settings.LOCAL_MODEL_COMMANDS);
const instances = new LocalInstances({ board, runner, commands, nodes });
const server = await serveLocalHost(resolve(settings.LOCAL_HOST_SOCKET), {
  board,
  instances,
  largestNodeMemoryBytes: nodes.memoryBytes,
  warn,
});
let stopping = false;
const stop = async () => {
  if (stopping) return;
  stopping = true;
  server.close();
  await instances.stop();
  server.closeAllConnections();
  process.exit(0);
};
// The supervisor asks now and then whether we still turn.
process.on('message', () => process.connected && process.send?.('alive'));
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('disconnect', () => void stop());

// The supervisor may have ended while this process started.
if (process.connected === false) await stop();
process.send?.('ready');
