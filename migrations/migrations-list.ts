import { Migration0001Spine } from './migration-0001-spine.js';
import { Migration0002Models } from './migration-0002-models.js';
import { Migration0003Instances } from './migration-0003-instances.js';
import { Migration0004Usage } from './migration-0004-usage.js';
import { Migration0005Administration } from './migration-0005-administration.js';
import { Migration0006Readiness } from './migration-0006-readiness.js';
import { Migration0007PodPhases } from './migration-0007-pod-phases.js';
import { Migration0008HubIdentity } from './migration-0008-hub-identity.js';
import { Migration0009FirstCalls } from './migration-0009-first-calls.js';
import { Migration0010NodeLook } from './migration-0010-node-look.js';
import { Migration0011FailedRequests } from './migration-0011-failed-requests.js';

/** Every migration in order; a name never changes once it has run anywhere. */
export const migrationsList = [
  { name: 'migration-0001-spine', class: Migration0001Spine },
  { name: 'migration-0002-models', class: Migration0002Models },
  { name: 'migration-0003-instances', class: Migration0003Instances },
  { name: 'migration-0004-usage', class: Migration0004Usage },
  { name: 'migration-0005-administration', class: Migration0005Administration },
  { name: 'migration-0006-readiness', class: Migration0006Readiness },
  { name: 'migration-0007-pod-phases', class: Migration0007PodPhases },
  { name: 'migration-0008-hub-identity', class: Migration0008HubIdentity },
  { name: 'migration-0009-first-calls', class: Migration0009FirstCalls },
  { name: 'migration-0010-node-look', class: Migration0010NodeLook },
  { name: 'migration-0011-failed-requests', class: Migration0011FailedRequests },
];
