import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { decompressText } from '../../db/compressed-text.js';
import type { Database } from '../../db/database.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { MAX_SHOWN_ENTRIES } from '../../domain/work-request/limits.js';
import { readShardInput } from '../../domain/work-request/shard-content.js';
import type { WorkRequest, WorkRequestList } from '../../domain/work-request/work-request.wire.js';
import { isAdmin, type SignedIn } from '../auth/signed-in.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE } from '../records/tokens.js';
import { EntriesMemory } from './entries-memory.js';
import { inputLines } from './input-lines.js';
import { listStatement } from './list-statement.js';
import { toWorkRequest } from './to-work-request.js';
import {
  wholeWorkRequestColumns,
  type WholeWorkRequestRow,
  type WorkRequestRow,
} from './work-request-row.js';
import { WorkflowLauncherService } from './workflow-launcher.service.js';
import type { WorkRequestFilter } from './work-requests.dto.js';

/** Reads requests, as far as their caller may see them, and cancels them. */
@Injectable()
export class WorkRequestsService {
  readonly #database: Database;
  readonly #launcher: WorkflowLauncherService;
  readonly #entries = new EntriesMemory();

  constructor(@Inject(DATABASE) database: Database, launcher: WorkflowLauncherService) {
    this.#database = database;
    this.#launcher = launcher;
  }

  async list(filter: WorkRequestFilter, caller: SignedIn): Promise<z.infer<typeof WorkRequestList>> {
    const rows = await this.#database.composed<WorkRequestRow>(listStatement(filter, caller));
    const page = rows.slice(0, filter.limit);
    return {
      items: page.map((row) => toWorkRequest(row)),
      next_cursor: rows.length > page.length ? String(page.at(-1)!.id) : null,
    };
  }

  /** The request with its entries. @throws Refusal 404 */
  async show(
    id: string,
    caller: SignedIn,
    userId?: string,
  ): Promise<{ row: WholeWorkRequestRow; shown: WorkRequest }> {
    const row = await this.find(id, caller, userId);
    return { row, shown: toWorkRequest(row, await this.#readEntries(row)) };
  }

  /**
   * Ends a request that is not finished; one that is cancelled already stays so.
   * @throws Refusal 404, or 409 when it ended otherwise
   */
  async cancel(id: string, caller: SignedIn): Promise<WorkRequest> {
    const before = await this.find(id, caller);
    const moved = await this.#database.transaction((sql) => moveWorkRequest(sql, before.id, 'cancel'));
    const after = await this.find(id, caller);
    if (moved) this.#launcher.cancel(after);
    else if (after.state !== 'CANCELLED')
      throw new Refusal(409, `The request is ${after.state} already, so there is nothing to cancel`);
    return toWorkRequest(after);
  }

  /**
   * @param userId of an admin's question: whose request it has to be; of others it is not looked at
   * @throws Refusal 404 when there is no such request, or it is somebody else's
   */
  async find(id: string, caller: SignedIn, userId?: string): Promise<WholeWorkRequestRow> {
    const [row] = /^\d{1,15}$/.test(id)
      ? await this.#database.rows<WholeWorkRequestRow>(
          `select ${wholeWorkRequestColumns} from work_request r
            where r.id = $1 and ($2::text is null or r.user_id = $2)`,
          [id, isAdmin(caller) ? (userId ?? null) : caller.userId],
        )
      : [];
    if (!row) throw new Refusal(404, `Failed to load request with id [${id}]`);
    return row;
  }

  async #readEntries(row: WholeWorkRequestRow): Promise<readonly string[]> {
    if (row.row_count > MAX_SHOWN_ENTRIES) return [];
    const known = this.#entries.get(row.id);
    if (known) return known;
    const shards = await this.#database.rows<{ input: Buffer }>(
      'select input from work_request_shard where expires_on = $1 and request_id = $2 order by shard_no',
      [row.expires_on, row.id],
    );
    const texts = await Promise.all(shards.map(({ input }) => decompressText(input)));
    const entries = inputLines({
      delimiter: row.verdict?.delimiter ?? 'none',
      hasHeader: row.has_header,
      columnNames: row.column_names,
      rows: texts.flatMap((text) => readShardInput(text).rows),
    });
    if (shards.length === row.shard_count) this.#entries.set(row.id, entries);
    return entries;
  }
}
