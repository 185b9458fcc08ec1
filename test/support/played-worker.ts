import type { ActivityDependencies, ActivitySettings } from '../../activities/dependencies.js';
import { createActivities } from '../../activities/index.js';
import { watchInstances } from '../../activities/instances/instance-watch.js';
import { createModelServer } from '../../activities/model-server/model-server.js';
import { createModelSpeeds } from '../../activities/work-requests/model-speeds.js';
import { createChemistry } from '../../chemistry/chemistry.js';
import type { Database } from '../../db/database.js';
import { openNotifications } from '../../db/notifications.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { HeardWorkflows } from './heard-workflows.js';
import { openTestDatabase } from './open-test-database.js';
import { PlayedHost } from './played-host.js';

export const playedSettings: ActivitySettings = {
  maxInstances: 4,
  patienceSeconds: 10,
  hostKind: 'test',
  instanceRetentionDays: 1,
  life: { pendingSeconds: 50, imageSeconds: 30, readySeconds: 60, unreadySeconds: 40 },
  terminatingTimeoutSeconds: 90,
  orphanSeconds: 60,
  instancesPerRequest: 2,
  keptLogBytes: 1000,
};

/** What a worker's activities have: everything real but the host and Temporal, which the test plays. */
export class PlayedWorker {
  readonly host: PlayedHost;
  readonly workflows: HeardWorkflows;
  readonly warnings: string[];
  readonly activities;

  constructor(
    readonly deps: ActivityDependencies,
    parts: { host: PlayedHost; workflows: HeardWorkflows; warnings: string[] },
  ) {
    ({ host: this.host, workflows: this.workflows, warnings: this.warnings } = parts);
    this.activities = createActivities(deps);
  }

  get database(): Database {
    return this.deps.database;
  }

  /** The same worker with other settings. */
  with(settings: Partial<ActivitySettings>): PlayedWorker {
    const { host, workflows, warnings } = this;
    const deps = { ...this.deps, settings: { ...this.deps.settings, ...settings } };
    return new PlayedWorker(deps, { host, workflows, warnings });
  }

  async close(): Promise<void> {
    const { instances, notifications, modelServer, chemistry, database } = this.deps;
    instances.close();
    await Promise.all([notifications.close(), modelServer.close(), chemistry.close()]);
    await database.close();
  }
}

/** Opens a worker on a database of its own. */
export async function openPlayedWorker(): Promise<PlayedWorker> {
  const database = await openTestDatabase();
  const host = new PlayedHost();
  const workflows = new HeardWorkflows();
  const warnings: string[] = [];
  const deps: ActivityDependencies = {
    database,
    notifications: openNotifications(database.url, () => undefined),
    host,
    instances: watchInstances(host),
    modelServer: createModelServer({
      runTimeoutMs: 1_500,
      callTimeoutMs: 1_000,
      maxReplyBytes: 2 * MEBIBYTE,
    }),
    modelSpeeds: createModelSpeeds(),
    chemistry: createChemistry({ threads: 1 }),
    workflows,
    settings: playedSettings,
    log: { info: () => undefined, warn: (message) => void warnings.push(message) },
  };
  return new PlayedWorker(deps, { host, workflows, warnings });
}
