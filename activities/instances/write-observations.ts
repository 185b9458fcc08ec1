import type { Database, Sql } from '../../db/database.js';
import { lockClaims, nothingToTell, serveClaims } from '../../db/queries/claims.js';
import { markToEnd } from '../../db/queries/leases.js';
import { gone, judgeEnd, type InstanceEnd } from '../../domain/instance/life.js';
import type { HostEvent, ObservedInstance } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import { NotLeadingError } from '../leader/leadership.js';
import { sendHints } from '../send-hints.js';
import { writeObserved } from './write-observed.js';

/** True for this worker now; checked inside each writing transaction, so that a frozen leader writes nothing. */
export type AssertLeading = (sql: Sql) => Promise<void>;

type WriterDependencies = Pick<ActivityDependencies, 'database' | 'workflows' | 'settings' | 'log'>;

/** What its host took in so long ago must be in a list that the host has just given. */
export const LISTED_SECONDS = 2;
/** What a watch alone tells may lack more: one that fell silent counts as healthy until its silence is noticed. */
export const WATCHED_SECONDS = 20;

/**
 * Writes what the host says of instances into their rows: done by the leader alone, guarded by uid and version.
 * @param heardSeconds an instance that its host took in so long ago, or longer, and that a list does not name is lost
 */
export async function writeObservation(
  deps: WriterDependencies,
  assertLeading: AssertLeading,
  event: HostEvent,
  heardSeconds = LISTED_SECONDS,
): Promise<void> {
  if (event.type === 'listed') {
    // First, while the list is young: what is placed while the rest is written is not in it.
    await writeMissing(deps, assertLeading, event.instances, heardSeconds);
    const written = await readVersions(deps.database);
    const news = event.instances.filter(
      (seen) => (written.get(seen.instanceId) ?? Infinity) < seen.resourceVersion,
    );
    await writeEach(news, (instance) => writeInstance(deps, assertLeading, instance));
  } else if (event.type === 'changed') {
    await writeInstance(deps, assertLeading, event.instance);
  } else {
    // The last that was seen of it may say why, and may be all that is written of it.
    await writeGone(deps, assertLeading, event.instance, judgeEnd(event.instance) ?? gone);
  }
}

/**
 * Writes one after the other; one that can't be written does not keep the later ones from it.
 * @throws Error with the first failure when all were tried; at once when this worker leads no more
 */
export async function writeEach<Observed>(
  list: readonly Observed[],
  write: (one: Observed) => Promise<void>,
): Promise<void> {
  const failures: Error[] = [];
  for (const one of list) {
    try {
      await write(one);
    } catch (error) {
      if (error instanceof NotLeadingError) throw error;
      failures.push(error as Error);
    }
  }
  if (failures.length > 0)
    throw new Error(
      `${failures.length} of ${list.length} observations could not be written; the first: ${failures[0]!.message}`,
      { cause: failures[0] },
    );
}

/** What is written already of each live instance, so that a long list costs one query and not one each. */
async function readVersions(database: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await database.rows<{ id: string; resource_version: number }>(
    `select id, resource_version from model_instance where state <> 'TERMINATED'`,
  );
  return new Map(rows.map(({ id, resource_version }) => [id, resource_version]));
}

async function writeInstance(
  deps: WriterDependencies,
  assertLeading: AssertLeading,
  seen: ObservedInstance,
): Promise<void> {
  const isReady = seen.ready && judgeEnd(seen) === null;
  const hints = await deps.database.transaction(async (sql) => {
    // A ready instance may be lent at once. The claim lock comes before any row's, as everywhere.
    if (isReady) await lockClaims(sql);
    await assertLeading(sql);
    if (!(await writeObserved(sql, seen, isReady))) return null;
    return isReady ? serveClaims(sql, deps.settings) : nothingToTell;
  });
  if (!hints) return;
  sendHints(deps, hints);
  await tellInstance(deps, seen.instanceId);
}

async function writeGone(
  deps: WriterDependencies,
  assertLeading: AssertLeading,
  { instanceId, uid }: { readonly instanceId: string; readonly uid: string },
  { reason, message }: InstanceEnd,
): Promise<void> {
  const marked = await deps.database.transaction(async (sql) => {
    await assertLeading(sql);
    const [row] = await sql.rows<{ uid: string | null }>(`select uid from model_instance where id = $1`, [
      instanceId,
    ]);
    return row?.uid === uid ? markToEnd(sql, instanceId, reason, message) : null;
  });
  if (marked) await tellInstance(deps, instanceId);
}

/** After a gap: rows whose instance the host does not name were lost meanwhile. */
async function writeMissing(
  deps: WriterDependencies,
  assertLeading: AssertLeading,
  listed: readonly ObservedInstance[],
  heardSeconds: number,
): Promise<void> {
  const present = new Map(listed.map(({ instanceId, uid }) => [instanceId, uid]));
  const missing = (await readPlaced(deps.database, heardSeconds)).filter(
    ({ id, uid }) => present.get(id) !== uid,
  );
  await writeEach(missing, ({ id, uid }) => writeGone(deps, assertLeading, { instanceId: id, uid }, gone));
}

/** Rows that changed, as by being taken in by their host, so long ago at least. */
async function readPlaced(database: Database, seconds: number): Promise<{ id: string; uid: string }[]> {
  return database.rows(
    `select id, uid from model_instance where uid is not null and last_updated < clock_timestamp() - $1 * interval '1 second'
        and state in ('REQUESTED', 'INITIALIZING', 'WAITING_FOR_READINESS', 'ACTIVE')`,
    [seconds],
  );
}

async function tellInstance({ workflows, log }: WriterDependencies, instanceId: string): Promise<void> {
  await workflows.signalInstance(instanceId).catch((error: Error) => {
    log.warn('an instance could not be told; the reconciler does', { instanceId, error: error.message });
  });
}
