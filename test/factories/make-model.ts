import { randomUUID } from 'node:crypto';
import type { Sql } from '../../db/database.js';
import { MEBIBYTE } from './mebibyte.js';

export interface MadeModel {
  readonly id: string;
  readonly enabled: boolean;
  readonly revision: number;
  readonly maxInstances: number;
  readonly executionMode: 'SYNC' | 'ASYNC';
  readonly memoryBytes: number;
  readonly disableMemoryLimit: boolean;
  readonly warmSeconds: number;
  /** Columns that the model declares; none by default: they come with its answer. */
  readonly columns: readonly string[];
}

/** Inserts a model; what a story does not care about has an ordinary value. */
export async function makeModel(sql: Sql, over: Partial<MadeModel> = {}): Promise<MadeModel> {
  const model: MadeModel = {
    id: `eos-${randomUUID().slice(0, 8)}`,
    enabled: true,
    revision: 1,
    maxInstances: -1,
    executionMode: 'SYNC',
    memoryBytes: 512 * MEBIBYTE,
    disableMemoryLimit: false,
    warmSeconds: 60,
    columns: [],
    ...over,
  };
  await sql.rows(
    `insert into model (id, enabled, revision, max_instances, execution_mode, image, cpu_request_millicores,
       cpu_limit_millicores, memory_request_mebibytes, memory_limit_mebibytes, disable_memory_limit, warm_seconds, columns)
     values ($1, $2, $3, $4, $5, 'models/' || $1, 100, 1000, $6, $6, $7, $8, $9)`,
    [
      model.id,
      model.enabled,
      model.revision,
      model.maxInstances,
      model.executionMode,
      model.memoryBytes / MEBIBYTE,
      model.disableMemoryLimit,
      model.warmSeconds,
      JSON.stringify(model.columns.map((name) => ({ name, type: 'number', unit: null, description: name }))),
    ],
  );
  return model;
}
