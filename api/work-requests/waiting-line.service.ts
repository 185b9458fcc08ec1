import { Inject, Injectable } from '@nestjs/common';
import { toClaimLimits } from '../../db/claims.config.js';
import type { Database } from '../../db/database.js';
import { readPlan } from '../../db/queries/read-claims.js';
import { tellWaits, type Wait } from '../../domain/claim/tell-wait.js';
import type { ApiSettings } from '../api.config.js';
import { DATABASE, SETTINGS } from '../records/tokens.js';

/** A page asks every 5 s: what it is told is never much older than this. */
const FRESH_MS = 1_000;
/** However long the line is, reading it takes no more than this part of the time. */
const MOST_OF_THE_TIME = 0.05;
/** Claims of one user for one model that are numbered; who is behind them is far from served. */
const CLAIMS_TOLD_PER_MODEL = 1_000;

type Waits = ReadonlyMap<string, Wait>;

/**
 * What those who wait for an instance wait for, and where in the line, as the database says now: the plan that a worker
 * would make, which is only told here. One reading serves all who ask.
 */
@Injectable()
export class WaitingLineService {
  readonly #database: Database;
  readonly #settings: ApiSettings;
  #waits: Promise<Waits> | null = null;
  #freshUntilMs = 0;

  constructor(@Inject(DATABASE) database: Database, @Inject(SETTINGS) settings: ApiSettings) {
    this.#database = database;
    this.#settings = settings;
  }

  /** What the claim is told; null when it came since the line was read, or stands behind a thousand of its user. */
  async find(leaseToken: string): Promise<Wait | null> {
    if (performance.now() > this.#freshUntilMs) this.#waits = null;
    this.#waits ??= this.#read();
    return (await this.#waits).get(leaseToken) ?? null;
  }

  async #read(): Promise<Waits> {
    const startedAtMs = performance.now();
    let restMs = 0;
    // Nobody reads a second time while this is under way, and a failure is not kept.
    this.#freshUntilMs = Infinity;
    try {
      const plan = await this.#database.transaction(
        (sql) => readPlan(sql, toClaimLimits(this.#settings), CLAIMS_TOLD_PER_MODEL),
        'set transaction isolation level repeatable read read only',
      );
      restMs = Math.max(FRESH_MS, (performance.now() - startedAtMs) / MOST_OF_THE_TIME);
      return tellWaits(plan);
    } finally {
      this.#freshUntilMs = performance.now() + restMs;
    }
  }
}
