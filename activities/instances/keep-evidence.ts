import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { compressText } from '../../db/compressed-text.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import type { InstanceUsage } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import { readUsageTogether } from '../usage/read-usage-together.js';
import { recordUsage } from '../usage/record-usage.js';
import { toReading } from '../usage/to-reading.js';
import { keepHostEvents } from './keep-host-events.js';
import { readInstanceRow } from './read-instance-row.js';

/** An ended instance holds its place until its evidence is kept: what its host does not tell by then is lost. */
const KEEP_WITHIN_MS = 10_000;
/** Before each further try; together well within that time. */
const PAUSES_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000];

/** What could not be kept of an instance, and why. */
interface Loss {
  readonly what: string;
  readonly because: string;
}

/**
 * Keeps what is gone from the host once the instance is deleted: its log, its events, and its use since the last pass.
 * What the host does not give in time is given up, and said in the log and in the instance's history.
 * @param withinMs how long the host may take
 * @throws Error while the database is away, to be asked again
 */
export async function keepEvidence(
  deps: ActivityDependencies,
  instanceId: string,
  withinMs = KEEP_WITHIN_MS,
): Promise<void> {
  const untilMs = performance.now() + withinMs;
  const kept = await Promise.all([
    keep(
      { what: 'log', untilMs, pausesMs: PAUSES_MS },
      () => readOwnLog(deps, instanceId),
      (log) => storeLog(deps, instanceId, log),
    ),
    keep(
      { what: 'events of its host', untilMs, pausesMs: PAUSES_MS },
      () => deps.host.listEvents(instanceId),
      (events) => keepHostEvents(deps.database, events),
    ),
    // Tried once: it is read all the time, and in a cluster that measures nothing every end would wait for it.
    keep(
      { what: 'last use', untilMs, pausesMs: [] },
      () => readUsageTogether(deps.host),
      ({ instances }) => storeUse(deps, instanceId, instances),
    ),
  ]);
  const lost = kept.filter((loss) => loss !== null);
  if (lost.length === 0) return;
  deps.log.warn('an instance ended of which not everything could be kept', { instanceId, lost });
  await deps.database.transaction((sql) =>
    recordInstanceEvent(sql, instanceId, 'INSTANCE_EVIDENCE_LOST', { lost }),
  );
}

interface Patience {
  readonly what: string;
  /** On the clock of `performance.now()`; by then the host must have answered. */
  readonly untilMs: number;
  readonly pausesMs: readonly number[];
}

/** @returns what was lost in the end, and why; null when it was kept */
async function keep<Found>(
  { what, untilMs, pausesMs }: Patience,
  read: () => Promise<Found>,
  store: (found: Found) => Promise<unknown>,
): Promise<Loss | null> {
  for (let tries = 0; ; tries += 1) {
    try {
      await store(await answeredBy(untilMs, read()));
      return null;
    } catch (error) {
      const pauseMs = pausesMs[tries];
      if (pauseMs === undefined || performance.now() + pauseMs >= untilMs)
        return { what, because: error instanceof Error ? error.message : String(error) };
      await sleep(pauseMs);
    }
  }
}

/** A host that hangs must not hold the place of what it hangs on. */
async function answeredBy<Found>(untilMs: number, answer: Promise<Found>): Promise<Found> {
  const answered = new AbortController();
  const late = sleep(untilMs - performance.now(), undefined, { signal: answered.signal }).then(() => {
    throw new Error('its host gave no answer in time');
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
}

/** A host gives out logs by name, and another instance may have taken the name: its log is not this one's. */
async function readOwnLog(deps: ActivityDependencies, instanceId: string): Promise<string | null> {
  const row = await readInstanceRow(deps, instanceId);
  const seen = deps.instances.see(instanceId);
  if (seen && seen.uid !== row?.uid) return null;
  return deps.host.readLogs(instanceId, { lastBytes: deps.settings.keptLogBytes });
}

async function storeLog(
  { database, settings }: ActivityDependencies,
  instanceId: string,
  log: string | null,
): Promise<void> {
  if (log === null) return;
  await database.rows(
    `insert into instance_log (expires_on, instance_id, log)
       select expires_on, id, $2 from model_instance where id = $1
     on conflict (expires_on, instance_id) do update set log = excluded.log, kept_at = now()`,
    [instanceId, await compressText(lastBytes(log, settings.keptLogBytes))],
  );
}

/** The end of a log, from the start of a line. */
function lastBytes(log: string, bytes: number): string {
  const stored = Buffer.from(log);
  if (stored.length <= bytes) return log;
  const end = stored.subarray(stored.length - bytes);
  return end.subarray(end.indexOf(0x0a) + 1).toString('utf8');
}

function storeUse(
  deps: ActivityDependencies,
  instanceId: string,
  instances: readonly InstanceUsage[],
): Promise<void> {
  const own = instances.filter((usage) => usage.instanceId === instanceId);
  return deps.database.transaction((sql) =>
    recordUsage(
      sql,
      own.map((usage) => toReading(deps, usage)),
    ),
  );
}
