import { randomUUID } from 'node:crypto';
import type { Sql } from '../../db/database.js';
import type { InstanceState } from '../../domain/instance/instance.js';
import { MEBIBYTE } from './mebibyte.js';

export interface InstanceParts {
  readonly modelId: string;
  readonly state?: InstanceState;
  readonly revision?: number;
  readonly memoryLimitBytes?: number | null;
  /** How long it has been free; null while it is in use or starting. */
  readonly idleSeconds?: number | null;
  readonly uid?: string | null;
  readonly warmSeconds?: number;
  readonly ageSeconds?: number;
  /** How long it has missed its health checks; null while it passes them. */
  readonly unreadySeconds?: number | null;
}

/** Inserts an instance; by default a warm one that is free. @returns its id */
export async function makeInstance(sql: Sql, parts: InstanceParts): Promise<string> {
  const { modelId, state = 'ACTIVE', revision = 1, memoryLimitBytes = 512 * MEBIBYTE } = parts;
  const { idleSeconds = 0, uid = null, warmSeconds = 60, ageSeconds = 0, unreadySeconds = null } = parts;
  const id = randomUUID();
  await sql.rows(
    `insert into model_instance (id, model_id, model_revision, image, host, state, uid, cpu_request_millicores,
       cpu_limit_millicores, memory_request_bytes, memory_limit_bytes, warm_seconds, expires_on, idle_since, created_at,
       last_updated, unready_since)
     values ($1, $2, $3, 'image', 'test', $4, $5, 100, 1000, 1, $6, $7, 'tomorrow',
       clock_timestamp() - $8 * interval '1 second', clock_timestamp() - $9 * interval '1 second',
       clock_timestamp() - $9 * interval '1 second', clock_timestamp() - $10 * interval '1 second')`,
    [
      id,
      modelId,
      revision,
      state,
      uid,
      memoryLimitBytes,
      warmSeconds,
      idleSeconds,
      ageSeconds,
      unreadySeconds,
    ],
  );
  return id;
}
