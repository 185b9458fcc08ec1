import type { Database, Sql } from '../database.js';
import { lockClaimsStatement } from './claims.js';

/** One works, the other is ready the moment it commits. More would only hold connections that other work needs. */
const AT_ONCE = 2;

/** Whoever gives an instance back goes before those who ask for one: they are what the others wait for. */
export type ClaimsTurn = 'giving back' | 'asking';

/** Transactions of this process that wait for their turn, by database. */
const lines = new WeakMap<Database, ClaimsLine>();

/**
 * Runs a transaction as the only one that claims, over all processes. Of one process few wait in the database; the
 * others wait in line without a connection.
 */
export async function inClaims<Result>(
  database: Database,
  turn: ClaimsTurn,
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  let line = lines.get(database);
  if (!line) lines.set(database, (line = new ClaimsLine()));
  await line.enter(turn);
  try {
    return await database.transaction(work, lockClaimsStatement);
  } finally {
    line.leave();
  }
}

class ClaimsLine {
  readonly #waiting: Readonly<Record<ClaimsTurn, (() => void)[]>> = { 'giving back': [], asking: [] };
  #inside = 0;

  enter(turn: ClaimsTurn): Promise<void> | void {
    if (this.#inside < AT_ONCE) this.#inside += 1;
    else return new Promise((resolve) => this.#waiting[turn].push(resolve));
  }

  /** The next one takes over the place that comes free. */
  leave(): void {
    const next = this.#waiting['giving back'].shift() ?? this.#waiting.asking.shift();
    if (next) next();
    else this.#inside -= 1;
  }
}
