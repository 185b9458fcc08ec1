import { Inject, Injectable } from '@nestjs/common';
import type { Client } from '@temporalio/client';
import type { Database } from '../../db/database.js';
import { DATABASE, TEMPORAL } from '../records/tokens.js';
import type { Health, PartHealth } from './health.dto.js';

/** A part that takes longer to answer than this counts as away. */
const DEADLINE_MS = 1_000;
/** Health is asked by anybody, so it asks its parts at most this often. */
const BELIEVED_MS = 500;

/** Are the parts there that the api process needs? */
@Injectable()
export class HealthService {
  readonly #database: Database;
  readonly #temporal: Client;
  #last: { health: Promise<Health>; at: number } | null = null;

  constructor(@Inject(DATABASE) database: Database, @Inject(TEMPORAL) temporal: Client) {
    this.#database = database;
    this.#temporal = temporal;
  }

  /** Every part, asked now or a moment ago. */
  check(): Promise<Health> {
    const now = performance.now();
    if (this.#last === null || now - this.#last.at > BELIEVED_MS)
      this.#last = { health: this.#ask(), at: now };
    return this.#last.health;
  }

  async #ask(): Promise<Health> {
    const [database, temporal] = await Promise.all([
      measure(() => this.#database.rows('select 1')),
      measure(() =>
        this.#temporal.withDeadline(Date.now() + DEADLINE_MS, () =>
          this.#temporal.workflowService.getSystemInfo({}),
        ),
      ),
    ]);
    return {
      status: database.ok && temporal.ok ? 'ok' : 'degraded',
      hub: true,
      parts: { database, temporal },
    };
  }
}

async function measure(ask: () => Promise<unknown>): Promise<PartHealth> {
  const startedAt = performance.now();
  const latency = () => Math.round((performance.now() - startedAt) * 10) / 10;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    await Promise.race([ask(), tooLate]);
    return { ok: true, latency_ms: latency(), error: null };
  } catch {
    // Anybody may read this, so it does not say where the part was looked for.
    return { ok: false, latency_ms: latency(), error: 'not reachable' };
  } finally {
    clearTimeout(timer);
  }
}
