import { AppUser } from './app-user.entity.js';
import { AuditEntry } from './audit-entry.entity.js';
import { HubIdentity } from './hub-identity.entity.js';
import { InstanceEvent } from './instance-event.entity.js';
import { InstanceLease } from './instance-lease.entity.js';
import { InstanceLog } from './instance-log.entity.js';
import { InstanceUsage } from './instance-usage.entity.js';
import { Leader } from './leader.entity.js';
import { ModelInstance } from './model-instance.entity.js';
import { Model } from './model.entity.js';
import { NodeLook } from './node-look.entity.js';
import { NodeUsage } from './node-usage.entity.js';
import { RequestStatistic } from './request-statistic.entity.js';
import { UsageSample } from './usage-sample.entity.js';
import { UserPermission } from './user-permission.entity.js';
import { UserSession } from './user-session.entity.js';
import { UserUsage } from './user-usage.entity.js';
import { WorkRequestEvent } from './work-request-event.entity.js';
import { WorkRequestShard } from './work-request-shard.entity.js';
import { WorkRequest } from './work-request.entity.js';

/** Every table of the hub. The ORM reads and writes light ones as objects; hot ones are reached by SQL. */
export const entities = [
  AppUser,
  UserSession,
  UserPermission,
  UserUsage,
  Model,
  WorkRequest,
  WorkRequestShard,
  WorkRequestEvent,
  RequestStatistic,
  ModelInstance,
  InstanceLease,
  InstanceEvent,
  InstanceLog,
  UsageSample,
  InstanceUsage,
  NodeUsage,
  NodeLook,
  Leader,
  HubIdentity,
  AuditEntry,
];
