import type { Chemistry } from '../chemistry/chemistry.js';
import type { Database } from '../db/database.js';
import type { Notifications } from '../db/notifications.js';
import type { ClaimSettings } from '../db/queries/claims.js';
import type { LifeLimits } from '../domain/instance/life.js';
import type { ModelHost } from '../hosts/model-host.js';
import type { InstanceWatch } from './instances/instance-watch.js';
import type { ModelServer } from './model-server/model-server.js';
import type { WorkflowGateway } from './workflow-gateway.js';
import type { ModelSpeeds } from './work-requests/model-speeds.js';

/** Says what happened, for operators; `details` are facts, never inputs. */
export interface ActivityLog {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** Settings that activities obey. */
export interface ActivitySettings extends ClaimSettings {
  /** How long an instance may take for what. */
  readonly life: LifeLimits;
  /** How long a host may take to let go of an instance before its place is free all the same. */
  readonly terminatingTimeoutSeconds: number;
  /** How long the host may have an instance that no row owns before it is ended. */
  readonly orphanSeconds: number;
  /** How many instances one request may have at once. */
  readonly instancesPerRequest: number;
  /** At most this much of an instance's log is kept, its end. */
  readonly keptLogBytes: number;
}

/** Everything activities reach the outside through; made once per worker. */
export interface ActivityDependencies {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly host: ModelHost;
  readonly instances: InstanceWatch;
  readonly modelServer: ModelServer;
  readonly modelSpeeds: ModelSpeeds;
  readonly chemistry: Chemistry;
  readonly workflows: WorkflowGateway;
  readonly settings: ActivitySettings;
  readonly log: ActivityLog;
}
