import { MikroORM, type EntityManager, type Options } from '@mikro-orm/postgresql';
import pg from 'pg';
import { toWireInstant } from '../domain/instant.js';
import type { DatabaseSettings } from './database.config.js';
import { ormOptions } from './mikro-orm.config.js';

/** Runs SQL with bound parameters: on the pool, or inside one transaction. */
export interface Sql {
  /** Rows as objects; `bigint` columns are numbers, `timestamptz` columns are wire instants. */
  rows<Row>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  /**
   * The same for a statement that was put together from what was asked for. It is planned for its values each time: a plan
   * for any values reads the whole table where an index holds the few rows of these.
   */
  composed<Row>(statement: ComposedStatement): Promise<Row[]>;
}

/** A statement of which there are more forms than can be kept prepared. */
export interface ComposedStatement {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** The hub's records: SQL for hot paths and the ORM for light tables, over one pool. */
export interface Database extends Sql {
  readonly url: string;
  /**
   * Commits when `work` resolves, rolls back and rethrows when it rejects.
   * @param first a statement without parameters that is sent together with the begin
   */
  transaction<Result>(work: (sql: Sql) => Promise<Result>, first?: string): Promise<Result>;
  /** A fresh unit of work of the ORM. */
  entityManager(): EntityManager;
  orm: MikroORM;
  close(): Promise<void>;
}

const bigintOid = 20;
const timestamptzOid = 1184;

/** Numbers for bigint (ids stay far below 2^53), wire instants for times, the driver's own for the rest. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === bigintOid) return Number;
    if (oid === timestamptzOid) return toWireInstant;
    if (oid === pg.types.builtins.DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format ?? 'text');
  }) as typeof pg.types.getTypeParser,
};

function sqlOn(client: pg.Pool | pg.PoolClient): Sql {
  const ask = async <Row>(text: string, params: readonly unknown[], name: string | undefined) =>
    (await client.query({ name, text, values: [...params], types })).rows as Row[];
  return {
    rows: (text, params = []) => ask(text, params, nameOf(text)),
    composed: ({ text, params }) => ask(text, params, undefined),
  };
}

/** Statements that each connection keeps prepared; the texts of the hub are far fewer. */
const MOST_PREPARED = 300;
const names = new Map<string, string>();

/** Postgres plans a statement with a name once per connection: a third of its work on small requests. */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_PREPARED) return known;
  const name = `hub_${names.size}`;
  names.set(text, name);
  return name;
}

/** A migration changed what a prepared statement gives: the connection that prepared it is of no more use. */
function isOutdatedPlan(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '0A000';
}

/**
 * Opens the pool lazily: a process can start while Postgres is still away.
 * @param lockTimeoutMs a statement that waits longer for a lock fails; 0 lets it wait for as long as it may take
 */
export async function openDatabase(settings: DatabaseSettings, lockTimeoutMs = 0): Promise<Database> {
  const { orm, pool } = await openPool(ormOptions(settings, lockTimeoutMs));
  return {
    ...sqlOn(pool),
    url: settings.DATABASE_URL,
    orm,
    entityManager: () => orm.em.fork(),
    transaction: (work, first) => inTransaction(pool, work, first),
    close: () => orm.close(true),
  };
}

/** The ORM's own pool, taken when it is built: asking the ORM for it would connect first. */
async function openPool(options: Options): Promise<{ orm: MikroORM; pool: pg.Pool }> {
  const pools: pg.Pool[] = [];
  const onPoolCreated = (pool: pg.Pool) => void pools.push(pool);
  const orm = await MikroORM.init({
    ...options,
    driverOptions: { ...options.driverOptions, onPoolCreated },
  });
  orm.em.getConnection().getClient();
  return { orm, pool: pools[0]! };
}

async function inTransaction<Result>(
  pool: pg.Pool,
  work: (sql: Sql) => Promise<Result>,
  first?: string,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(first === undefined ? 'begin' : `begin; ${first}`);
    const result = await work(sqlOn(client));
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') {
      throw new Error(
        'the transaction was rolled back, not committed: one of its statements had failed; let its error pass',
      );
    }
    return result;
  } catch (error) {
    if (isOutdatedPlan(error)) broken = error as Error;
    // A connection that can't even roll back is thrown away; the first error is the one that matters.
    await client.query('rollback').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken);
  }
}
