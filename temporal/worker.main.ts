import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { ActivityDependencies } from '../activities/dependencies.js';
import { createActivities } from '../activities/index.js';
import { watchInstances } from '../activities/instances/instance-watch.js';
import { takePartInLeading } from '../activities/leader/lead.js';
import { createModelServer } from '../activities/model-server/model-server.js';
import { createModelSpeeds } from '../activities/work-requests/model-speeds.js';
import { createChemistry } from '../chemistry/chemistry.js';
import { toClaimLimits } from '../db/claims.config.js';
import { databaseSettings } from '../db/database.config.js';
import { openDatabase } from '../db/database.js';
import { openNotifications } from '../db/notifications.js';
import { readHubId } from '../db/queries/hub-identity.js';
import { retentionSettings } from '../db/retention.config.js';
import { parseSettings } from '../domain/settings.js';
import { beatWhileCalling } from './beat-while-calling.js';
import { createTemporalClient } from './connection.js';
import { createModelHost } from './model-host.js';
import { HUB_TASK_QUEUE } from './task-queue.js';
import { temporalSettings } from './temporal.config.js';
import { workflowBundlePath } from './workflow-bundle.js';
import { createWorkflowGateway } from './workflow-gateway.js';
import { installWorkerLog } from './worker-log.js';
import { workerSettings } from './worker.config.js';

const settings = parseSettings(workerSettings, process.env);
const temporal = parseSettings(temporalSettings, process.env);
const retention = parseSettings(retentionSettings, process.env);
const pino = installWorkerLog(settings.LOG_LEVEL);
const log = {
  info: (message: string, details = {}) => pino.info(details, message),
  warn: (message: string, details = {}) => pino.warn(details, message),
};

/** Until the worker runs there is nothing to finish, and what this process waits for may never come. */
let stop = (why: string): void => {
  log.info(`stopping before it began: ${why}`);
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));
process.once('disconnect', () => stop('its supervisor is gone'));
// The supervisor may have ended while this process was loaded.
if (process.connected === false) stop('its supervisor is gone');

const database = await openDatabase(parseSettings(databaseSettings, process.env));
const notifications = openNotifications(database.url, log.warn);
const host = await createModelHost(settings, process.env, {
  readHubId: readHubIdOnceThere,
  warn: (text) => log.warn(text),
});
const instances = watchInstances(host);
const chemistry = createChemistry({ threads: settings.CHEMISTRY_THREADS });
const client = createTemporalClient(temporal);
const modelServer = createModelServer({
  runTimeoutMs: settings.MODEL_RUN_TIMEOUT_SECONDS * 1000,
  callTimeoutMs: settings.MODEL_INTEGRATION_TIMEOUT * 1000,
  maxReplyBytes: settings.MODEL_REPLY_LIMIT_MIB * 1024 * 1024,
});
const dependencies: ActivityDependencies = {
  database,
  notifications,
  host,
  instances,
  modelServer,
  modelSpeeds: createModelSpeeds(),
  chemistry,
  workflows: createWorkflowGateway(client),
  log,
  settings: {
    ...toClaimLimits(settings),
    hostKind: host.kind,
    instanceRetentionDays: retention.INSTANCE_RETENTION_DAYS,
    life: {
      pendingSeconds: settings.INSTANCE_PENDING_TIMEOUT_SECONDS,
      imageSeconds: settings.INSTANCE_IMAGE_TIMEOUT_SECONDS,
      readySeconds: settings.INSTANCE_READY_TIMEOUT_SECONDS,
      unreadySeconds: settings.INSTANCE_UNREADY_TIMEOUT_SECONDS,
    },
    terminatingTimeoutSeconds: settings.INSTANCE_TERMINATING_TIMEOUT_SECONDS,
    orphanSeconds: settings.INSTANCE_ORPHAN_SECONDS,
    instancesPerRequest: settings.INSTANCES_PER_REQUEST,
    keptLogBytes: settings.KEPT_LOG_KIB * 1024,
  },
};

const connection = await connectToTemporal();
const worker = await Worker.create({
  connection,
  namespace: temporal.TEMPORAL_NAMESPACE,
  taskQueue: HUB_TASK_QUEUE,
  workflowBundle: { codePath: workflowBundlePath() },
  activities: createActivities(dependencies),
  interceptors: { activity: [beatWhileCalling] },
  // A dead worker's workflows move on after this long instead of ten seconds.
  stickyQueueScheduleToStartTimeout: '1s',
  // Waiting for an instance holds a slot and costs almost nothing.
  maxConcurrentActivityTaskExecutions: 5_000,
  maxConcurrentLocalActivityExecutions: 100,
  // Each cached workflow costs about 0.3 MB; more than these are replayed when they go on.
  maxCachedWorkflows: 250,
  // Cancellation must be felt within a second or so.
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  shutdownGraceTime: '500ms',
});
stop = (why) => {
  if (worker.getState() !== 'RUNNING') return;
  log.info(`stopping: ${why}`);
  worker.shutdown();
};
const lead = takePartInLeading({ ...dependencies, retention });
void chemistry.warmUp();

// The supervisor asks now and then whether we still turn.
process.on('message', () => process.connected && process.send?.('alive'));

const running = worker.run();
process.send?.('ready');
await running;
await lead.close();
instances.close();
await Promise.all([notifications.close(), modelServer.close(), chemistry.close(), host.close()]);
await Promise.all([database.close(), connection.close(), client.connection.close()]);
process.exit(0);

/** Postgres may come up later than the worker, or be migrated later. */
async function readHubIdOnceThere(): Promise<string> {
  for (;;) {
    try {
      return await readHubId(database);
    } catch (error) {
      log.warn('the database does not tell which hub this is; trying again', {
        error: (error as Error).message,
      });
      await sleep(500);
    }
  }
}

/** Temporal may come up later than the worker; until then there is nothing to do but try again. */
async function connectToTemporal(): Promise<NativeConnection> {
  for (;;) {
    try {
      return await NativeConnection.connect({ address: temporal.TEMPORAL_ADDRESS });
    } catch (error) {
      log.warn(`Temporal does not answer at ${temporal.TEMPORAL_ADDRESS}; trying again`, {
        error: (error as Error).message,
      });
      await sleep(500);
    }
  }
}
