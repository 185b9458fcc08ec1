import { setImmediate as nextTurn } from 'node:timers/promises';
import { compressText } from '../../db/compressed-text.js';
import { MAX_SHOWN_ENTRIES } from '../../domain/work-request/limits.js';
import { InputPlan, type InputPlanOptions, type InputReport } from '../../domain/work-request/plan-input.js';
import type { PlannedShard } from '../../domain/work-request/plan-shards.js';
import { writeShardInput } from '../../domain/work-request/shard-content.js';

/** A shard as it is stored. */
export interface StoredShard {
  readonly shardNo: number;
  readonly firstRow: number;
  readonly rowCount: number;
  readonly input: Buffer;
}

/** An input that was read to its end; the shards are empty when it is refused. */
export interface PlannedSubmission {
  readonly report: InputReport;
  readonly shards: readonly StoredShard[];
  /** The rows themselves while they are few enough to be shown; else empty. */
  readonly shownRows: readonly (readonly string[])[];
}

/** Text read between two turns of the event loop: about 10 ms of work. */
const TURN_LENGTH = 512 * 1024;

/**
 * Reads an input to its end into compressed shards. Nothing of it waits for the database, so a slow sender holds no
 * connection; memory holds the compressed rows, an eighth to a quarter of what was sent.
 */
export async function planSubmission(
  text: AsyncIterable<string> | Iterable<string>,
  options: InputPlanOptions,
): Promise<PlannedSubmission> {
  const plan = new InputPlan(options);
  const shards: StoredShard[] = [];
  let shownRows: (readonly string[])[] = [];
  let rowCount = 0;
  let length = 0;

  const take = async (planned: readonly PlannedShard[]) => {
    for (const { shardNo, firstRow, rows } of planned) {
      rowCount += rows.length;
      shownRows = rowCount <= MAX_SHOWN_ENTRIES ? [...shownRows, ...rows] : [];
      shards.push({
        shardNo,
        firstRow,
        rowCount: rows.length,
        input: await compressText(writeShardInput({ rows })),
      });
    }
  };
  for await (const piece of text) {
    await take(await plan.push(piece));
    length += piece.length;
    if (length < TURN_LENGTH) continue;
    length = 0;
    await nextTurn();
  }
  await take(await plan.end());
  const report = plan.report();
  return report.refusal === null ? { report, shards, shownRows } : { report, shards: [], shownRows: [] };
}
