import { Inject, Injectable } from '@nestjs/common';
import { decompressText } from '../../db/compressed-text.js';
import type { Database } from '../../db/database.js';
import {
  planResultTable,
  resultRows,
  type ResultTable,
} from '../../domain/work-request/plan-result-table.js';
import {
  readShardInput,
  readShardResult,
  type ShardInput,
  type ShardResult,
} from '../../domain/work-request/shard-content.js';
import type { WorkRequest } from '../../domain/work-request/work-request.wire.js';
import {
  createResultWriter,
  toContractCsv,
  toResultObject,
  type ResultFormat,
} from '../../domain/work-request/write-results.js';
import { ModelsService } from '../models/models.service.js';
import { DATABASE } from '../records/tokens.js';
import type { WholeWorkRequestRow } from './work-request-row.js';

interface ReadShard {
  readonly input: ShardInput;
  readonly result: ShardResult | null;
}

interface ShardRow {
  shard_no: number;
  input: Buffer;
  result: Buffer | null;
}

/** Shards per round trip: at most 1 MB of input and some 4 MB of values. */
const SHARDS_PER_READ = 4;

/**
 * Gives inputs and results shard by shard, so that a request of any length takes the same memory. A reader that is
 * slower than the database holds it up, because the next shards are read when the ones before were taken.
 */
@Injectable()
export class ResultsService {
  readonly #database: Database;
  readonly #models: ModelsService;

  constructor(@Inject(DATABASE) database: Database, models: ModelsService) {
    this.#database = database;
    this.#models = models;
  }

  /** The result table as a file; rows that were not computed say so. */
  async *writeTable(
    row: WholeWorkRequestRow,
    format: ResultFormat,
    byteOrderMark: boolean,
  ): AsyncGenerator<string> {
    const table = await this.#tableOf(row);
    const writer = createResultWriter(format, table.columns, { byteOrderMark });
    yield writer.head;
    for await (const { input, result } of this.#shards(row))
      for (const cells of resultRows(table, input, result)) yield writer.row(cells);
    yield writer.tail;
  }

  /** The input as CSV, header first, as the hub read it. */
  async *writeInput(row: WholeWorkRequestRow): AsyncGenerator<string> {
    const writer = createResultWriter('csv', row.column_names);
    yield writer.head;
    for await (const { input } of this.#shards(row))
      for (const cells of input.rows)
        yield writer.row(row.column_names.map((_, index) => cells[index] ?? ''));
  }

  /** The request as JSON with its result in the contract's shape: lines of CSV, or the model's own objects. */
  async *writeWithResult(
    row: WholeWorkRequestRow,
    shown: WorkRequest,
    asCsv: boolean,
  ): AsyncGenerator<string> {
    const { result: _, ...rest } = shown;
    yield `${JSON.stringify(rest).slice(0, -1)},"result":[`;
    let separator = '';
    for await (const record of asCsv ? this.#contractLines(row) : this.#contractObjects(row)) {
      yield separator + JSON.stringify(record);
      separator = ',';
    }
    yield ']}';
  }

  async *#contractLines(row: WholeWorkRequestRow): AsyncGenerator<string> {
    const table = await this.#tableOf(row);
    yield toContractCsv(table.columns);
    for await (const { input, result } of this.#shards(row))
      for (const cells of resultRows(table, input, result)) yield toContractCsv(cells);
  }

  async *#contractObjects(row: WholeWorkRequestRow): AsyncGenerator<unknown> {
    for await (const { input, result } of this.#shards(row))
      for (const index of input.rows.keys()) {
        const values = result?.rows[index];
        yield result && values ? toResultObject(result.columns, values) : null;
      }
  }

  async #tableOf(row: WholeWorkRequestRow): Promise<ResultTable> {
    const declared = (await this.#models.find(row.model_id))?.details.columns.map(({ name }) => name);
    return planResultTable({
      columnNames: row.column_names,
      smilesIndex: row.smiles_column,
      modelColumns: row.result_columns ?? declared ?? [],
    });
  }

  async *#shards(row: WholeWorkRequestRow): AsyncGenerator<ReadShard> {
    for (let from = 0; from < row.shard_count; from += SHARDS_PER_READ) {
      const wanted = Math.min(SHARDS_PER_READ, row.shard_count - from);
      // Joined, because a request that is pinned meanwhile moves to another partition.
      const shards = await this.#database.rows<ShardRow>(
        `select s.shard_no, s.input, s.result from work_request r
           join work_request_shard s on s.expires_on = r.expires_on and s.request_id = r.id
          where r.id = $1 and s.shard_no >= $2 and s.shard_no < $3 order by s.shard_no`,
        [row.id, from, from + wanted],
      );
      if (shards.length < wanted)
        throw new Error(
          `request ${row.id} has no shard ${from + shards.length} any more: it was deleted while being read`,
        );
      for (const shard of shards) yield await readShard(shard);
    }
  }
}

async function readShard({ input, result }: ShardRow): Promise<ReadShard> {
  return {
    input: readShardInput(await decompressText(input)),
    result: result && readShardResult(await decompressText(result)),
  };
}
