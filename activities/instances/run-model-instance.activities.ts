import { compressText } from '../../db/compressed-text.js';
import { serveClaims } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import { markToEnd } from '../../db/queries/leases.js';
import { isUsable, secondsUntilIdleLook, type InstanceState } from '../../domain/instance/instance.js';
import { InstanceRefusedError, type InstanceSpec } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { IdleVerdict, RunModelInstanceEffects } from '../run-model-instance.effects.js';
import { sendHints } from '../send-hints.js';

interface InstanceRow {
  readonly id: string;
  readonly model_id: string;
  readonly image: string;
  readonly template_version: string;
  readonly state: InstanceState;
  readonly uid: string | null;
  readonly cpu_request_millicores: number;
  readonly cpu_limit_millicores: number;
  readonly memory_request_bytes: number;
  readonly memory_limit_bytes: number | null;
  readonly waiting_reason: string | null;
  readonly waiting_message: string | null;
  readonly request_id: number | null;
  readonly age_seconds: number;
}

/** The effects of an instance's life. */
export function createRunModelInstance(deps: ActivityDependencies): RunModelInstanceEffects {
  return {
    createInstance: (instanceId) => createInstance(deps, instanceId),
    async readInstance(instanceId) {
      const row = await readRow(deps, instanceId);
      // An instance without a row has nothing to live for: its workflow goes on to the end.
      if (!row) return { state: 'TERMINATED', readySecondsLeft: 0 };
      return { state: row.state, readySecondsLeft: deps.settings.readyTimeoutSeconds - row.age_seconds };
    },
    giveUpStarting: (instanceId) => giveUpStarting(deps, instanceId),
    retireIdle: (instanceId) => retireIdle(deps, instanceId),
    keepEvidence: (instanceId) => keepEvidence(deps, instanceId),
    deleteInstance: (instanceId) => deleteInstance(deps, instanceId),
    finishInstance: (instanceId) => finishInstance(deps, instanceId),
  };
}

async function readRow({ database }: ActivityDependencies, instanceId: string): Promise<InstanceRow | null> {
  const [row] = await database.rows<InstanceRow>(
    `select i.*, m.template_version, l.request_id, extract(epoch from clock_timestamp() - i.created_at)::float8 as age_seconds
       from model_instance i join model m on m.id = i.model_id
       left join instance_lease l on l.instance_id = i.id and l.state = 'GRANTED' where i.id = $1`,
    [instanceId],
  );
  return row ?? null;
}

async function createInstance(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const row = await readRow(deps, instanceId);
  if (!row || !isUsable(row.state) || row.uid !== null) return;
  try {
    const observed = await deps.host.createInstance(specOf(row));
    await deps.database.transaction(async (sql) => {
      const written = await sql.rows(
        `update model_instance set uid = $2, state = case when state = 'REQUESTED' then 'INITIALIZING' else state end
          where id = $1 and uid is null and state <> 'TERMINATED' returning id`,
        [instanceId, observed.uid],
      );
      if (written.length > 0)
        await recordInstanceEvent(sql, instanceId, 'INSTANCE_POD_CREATED', { uid: observed.uid });
    });
  } catch (error) {
    if (!(error instanceof InstanceRefusedError)) throw error;
    await deps.database.transaction((sql) => markToEnd(sql, instanceId, 'FAILED', error.message));
  }
}

function specOf(row: InstanceRow): InstanceSpec {
  return {
    instanceId: row.id,
    modelId: row.model_id,
    image: row.image,
    templateVersion: row.template_version,
    cpuRequestMillicores: row.cpu_request_millicores,
    cpuLimitMillicores: row.cpu_limit_millicores,
    memoryRequestBytes: row.memory_request_bytes,
    memoryLimitBytes: row.memory_limit_bytes,
    labels: { 'ersilia.modelid': row.model_id },
    annotations: row.request_id === null ? {} : { 'ersilia.requestid': String(row.request_id) },
  };
}

async function giveUpStarting(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const row = await readRow(deps, instanceId);
  const waited = `it was not ready within ${deps.settings.readyTimeoutSeconds} s`;
  const cause = row?.waiting_message ?? row?.waiting_reason;
  const message = cause
    ? `${waited}; its host says: ${cause}`
    : `${waited}; its server never answered a health check`;
  await deps.database.transaction((sql) => markToEnd(sql, instanceId, 'NEVER_READY', message));
}

/** Atomic: an instance that is leased in the same moment is not ended. */
async function retireIdle(deps: ActivityDependencies, instanceId: string): Promise<IdleVerdict> {
  return inClaims(deps.database, 'asking', async (sql) => {
    const [row] = await sql.rows<{
      state: InstanceState;
      warm_seconds: number;
      leased: boolean;
      idle_seconds: number;
    }>(
      `select state, warm_seconds,
         exists (select from instance_lease where instance_id = i.id and state = 'GRANTED') as leased,
         coalesce(extract(epoch from clock_timestamp() - idle_since), 0)::float8 as idle_seconds
       from model_instance i where id = $1`,
      [instanceId],
    );
    if (!row || !isUsable(row.state)) return { type: 'retired' };
    if (row.leased || row.idle_seconds < row.warm_seconds) {
      const { leased, warm_seconds: warmSeconds, idle_seconds: idleSeconds } = row;
      return { type: 'look again', inSeconds: secondsUntilIdleLook({ leased, warmSeconds, idleSeconds }) };
    }
    await markToEnd(sql, instanceId, 'COMPLETED', `nobody needed it for ${row.warm_seconds} s`);
    return { type: 'retired' };
  });
}

async function keepEvidence(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const log = await deps.host.readLogs(instanceId);
  const usage = (await deps.host.readUsage()).instances.find(
    (instance) => instance.instanceId === instanceId,
  );
  await deps.database.transaction(async (sql) => {
    if (log !== null) {
      await sql.rows(
        `insert into instance_log (expires_on, instance_id, log)
           select expires_on, id, $2 from model_instance where id = $1
         on conflict (expires_on, instance_id) do update set log = excluded.log, kept_at = now()`,
        [instanceId, await compressText(lastBytes(log, deps.settings.keptLogBytes))],
      );
    }
    if (usage?.peakMemoryBytes) {
      await sql.rows(
        `update model_instance set peak_memory_bytes = greatest(peak_memory_bytes, $2) where id = $1`,
        [instanceId, usage.peakMemoryBytes],
      );
    }
  });
}

/** The end of a log, from the start of a line. */
function lastBytes(log: string, bytes: number): string {
  const stored = Buffer.from(log);
  if (stored.length <= bytes) return log;
  const end = stored.subarray(stored.length - bytes);
  return end.subarray(end.indexOf(0x0a) + 1).toString('utf8');
}

async function deleteInstance(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const row = await readRow(deps, instanceId);
  if (!row || row.state === 'TERMINATED') return;
  await deps.database.rows(
    `update model_instance set state = 'TERMINATING' where id = $1 and state = 'SHOULD_TERMINATE'`,
    [instanceId],
  );
  if (row.uid !== null) await deps.host.deleteInstance(instanceId, row.uid);
}

async function finishInstance(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const hints = await inClaims(deps.database, 'giving back', async (sql) => {
    const ended = await sql.rows(
      `update model_instance set state = 'TERMINATED', terminated_at = clock_timestamp(), idle_since = null
        where id = $1 and state <> 'TERMINATED' returning id`,
      [instanceId],
    );
    if (ended.length > 0) await recordInstanceEvent(sql, instanceId, 'INSTANCE_TERMINATED');
    return serveClaims(sql, deps.settings);
  });
  sendHints(deps, hints);
}
