import type { Sql } from '../../db/database.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import { markToEnd } from '../../db/queries/leases.js';
import { storableText } from '../../db/storable-text.js';
import { isUsable, secondsUntilIdleLook, type InstanceState } from '../../domain/instance/instance.js';
import {
  HOST_UNAVAILABLE,
  judgeStart,
  judgeUnready,
  type InstanceEnd,
  type LifeVerdict,
} from '../../domain/instance/life.js';
import {
  InstanceRefusedError,
  type InstanceSpec,
  NoRoomError,
  type ObservedInstance,
} from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { IdleVerdict, RunModelInstanceEffects } from '../run-model-instance.effects.js';
import { deleteInstance, finishInstance } from './end-instance.js';
import { keepEvidence } from './keep-evidence.js';
import { readInstanceRow, type InstanceRow } from './read-instance-row.js';
import { recordTaken } from './write-observed.js';

/** The effects of an instance's life. */
export function createRunModelInstance(deps: ActivityDependencies): RunModelInstanceEffects {
  return {
    createInstance: (instanceId) => createInstance(deps, instanceId),
    async readInstance(instanceId) {
      const row = await readInstanceRow(deps, instanceId);
      // An instance without a row has nothing to live for: its workflow goes on to the end.
      if (!row) return { state: 'TERMINATED', readySecondsLeft: 0 };
      return { state: row.state, readySecondsLeft: judgeRow(deps, row).secondsLeft };
    },
    giveUpStarting: (instanceId) => giveUpStarting(deps, instanceId),
    retireIdle: (instanceId) => retireIdle(deps, instanceId),
    keepEvidence: (instanceId) => keepEvidence(deps, instanceId),
    deleteInstance: (instanceId) => deleteInstance(deps, instanceId),
    finishInstance: (instanceId) => finishInstance(deps, instanceId),
  };
}

async function createInstance(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const row = await readInstanceRow(deps, instanceId);
  if (!row || !isUsable(row.state) || row.uid !== null) return;
  let taken: ObservedInstance;
  try {
    taken = await deps.host.createInstance(specOf(row));
  } catch (error) {
    return notTaken(deps, instanceId, error as Error);
  }
  await deps.database.transaction((sql) => writeTaken(sql, instanceId, taken.uid));
}

/** @throws the error when its host may take it yet, to be asked again */
async function notTaken(deps: ActivityDependencies, instanceId: string, error: Error): Promise<void> {
  if (error instanceof InstanceRefusedError)
    await deps.database.transaction((sql) => markToEnd(sql, instanceId, 'FAILED', error.message));
  else if (await mayGoOnWaiting(deps, instanceId, error)) throw error;
}

/** Nothing new for the row when the leader saw the instance first, and wrote so. */
async function writeTaken(sql: Sql, instanceId: string, uid: string): Promise<void> {
  const written = await sql.rows(
    `update model_instance set uid = $2, state = case when state = 'REQUESTED' then 'INITIALIZING' else state end,
       waiting_reason = null, waiting_message = null, waiting_since = null, last_updated = clock_timestamp()
      where id = $1 and uid is null and state <> 'TERMINATED' returning id`,
    [instanceId, uid],
  );
  if (written.length > 0) await recordTaken(sql, instanceId, uid);
}

/**
 * Says in the row what keeps its host from taking the instance, as a scheduler's reason is said, and gives it up when
 * its time is over: whatever a host answers, nobody waits for it for ever.
 */
async function mayGoOnWaiting(
  deps: ActivityDependencies,
  instanceId: string,
  error: Error,
): Promise<boolean> {
  const reason = error instanceof NoRoomError ? error.reason : HOST_UNAVAILABLE;
  const message = storableText(error.message);
  await deps.database.transaction(async (sql) => {
    const [row] = await sql.rows<{ waited_for: string | null }>(
      `with known as (select id, waiting_reason from model_instance where id = $1 for update)
       update model_instance i set waiting_reason = $2, waiting_message = $3, last_updated = now(),
         waiting_since = coalesce(waiting_since, clock_timestamp())
         from known where i.id = known.id and i.uid is null and i.state = 'REQUESTED'
       returning known.waiting_reason as waited_for`,
      [instanceId, reason, message],
    );
    if (row && row.waited_for !== reason)
      await recordInstanceEvent(sql, instanceId, 'INSTANCE_CHANGED', { waiting: { reason, message } });
  });
  await giveUpStarting(deps, instanceId);
  const now = await readInstanceRow(deps, instanceId);
  return now?.state === 'REQUESTED';
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

function judgeRow({ settings }: ActivityDependencies, row: InstanceRow): LifeVerdict {
  const { age_seconds: ageSeconds, placed_seconds: placedSeconds, waiting_reason: reason } = row;
  const { waiting_message: message, waiting_seconds: seconds } = row;
  const waiting = reason === null ? null : { reason, message, seconds: seconds ?? 0 };
  return judgeStart({ ageSeconds, placedSeconds, waiting }, settings.life);
}

/** What was placed or began to pull since the workflow looked has more time: the row is judged anew. */
async function giveUpStarting(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const row = await readInstanceRow(deps, instanceId);
  if (!row) return;
  const { secondsLeft, end } = judgeRow(deps, row);
  if (secondsLeft > 0) return;
  await deps.database.transaction((sql) => markToEnd(sql, instanceId, end.reason, end.message));
}

interface UseRow {
  readonly state: InstanceState;
  readonly warm_seconds: number;
  readonly leased: boolean;
  readonly computes: boolean;
  readonly idle_seconds: number;
  readonly unready_seconds: number | null;
}

/** Atomic: an instance that is leased in the same moment is not ended for being idle. */
async function retireIdle(deps: ActivityDependencies, instanceId: string): Promise<IdleVerdict> {
  return inClaims(deps.database, 'asking', async (sql) => {
    const row = await readUse(sql, instanceId);
    if (!row || !isUsable(row.state)) return { type: 'retired' };
    const end = endOfUse(deps, row);
    if ('inSeconds' in end) return { type: 'look again', ...end };
    await markToEnd(sql, instanceId, end.reason, end.message);
    return { type: 'retired' };
  });
}

async function readUse(sql: Sql, instanceId: string): Promise<UseRow | undefined> {
  const [row] = await sql.rows<UseRow>(
    `select i.state, i.warm_seconds, l.lease_token is not null as leased, l.begun_at is not null as computes,
       coalesce(extract(epoch from clock_timestamp() - i.idle_since), 0)::float8 as idle_seconds,
       case when i.unready_since is not null
         then extract(epoch from clock_timestamp() - greatest(i.unready_since, i.idle_since))::float8 end as unready_seconds
     from model_instance i left join instance_lease l on l.instance_id = i.id and l.state = 'GRANTED'
     where i.id = $1`,
    [instanceId],
  );
  return row;
}

/** Why a ready instance is to end, or when to look at it again. */
function endOfUse({ settings }: ActivityDependencies, row: UseRow): InstanceEnd | { inSeconds: number } {
  const { leased, computes, warm_seconds: warmSeconds, idle_seconds: idleSeconds } = row;
  const unready =
    row.unready_seconds === null
      ? null
      : judgeUnready({ unreadySeconds: row.unready_seconds, computes }, settings.life);
  if (unready?.secondsLeft === 0) return unready.end;
  if (!leased && idleSeconds >= warmSeconds)
    return { reason: 'COMPLETED', message: `nobody needed it for ${warmSeconds} s` };
  const idleLook = secondsUntilIdleLook({ leased, warmSeconds, idleSeconds });
  return { inSeconds: Math.min(idleLook, unready?.secondsLeft ?? idleLook) };
}
