import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { openAnotherPool, openTestDatabase } from '../../test/support/open-test-database.js';
import { describeWith } from '../../test/support/require-part.js';
import type { Database, Sql } from '../database.js';
import { lockClaims } from './claims.js';
import { inClaims, type ClaimsTurn } from './claims-turn.js';

const CONNECTIONS = 4;

describeWith('postgres')('turns to claim', () => {
  let database: Database;
  let other: Database;
  let done: string[];
  beforeAll(async () => {
    database = await openTestDatabase(CONNECTIONS);
    other = await openAnotherPool(database);
  });
  afterAll(async () => {
    await other.close();
    await database.close();
  });
  beforeEach(() => {
    done = [];
  });

  const claim = (name: string, turn: ClaimsTurn) =>
    inClaims(database, turn, async (sql) => {
      await sql.rows(`select pg_sleep(0.01)`);
      done.push(name);
    });

  /** Another process claims until `work` is over. */
  const whileAnotherClaims = (work: (sql: Sql) => Promise<void>) =>
    other.transaction(async (sql) => {
      await lockClaims(sql);
      await work(sql);
    });

  const isClaimAwaited = async (sql: Sql) => {
    const waiting = await sql.rows(
      `select 1 from pg_locks join pg_database on pg_database.oid = database
        where locktype = 'advisory' and not granted and datname = current_database()`,
    );
    return waiting.length > 0;
  };

  it('leave connections to other work, however many wait', async () => {
    let waiting: Promise<void>[] = [];
    await whileAnotherClaims(async () => {
      waiting = Array.from({ length: 50 }, (_, index) => claim(`${index}`, 'asking'));
      expect(await database.rows(`select 1 as one`)).toEqual([{ one: 1 }]);
      expect(done).toEqual([]);
    });
    await Promise.all(waiting);
    expect(done).toHaveLength(50);
  });

  it('go to those who give back before those who ask', async () => {
    const all = ['a', 'b', 'c', 'd', 'x', 'y'];
    /** Goes on when the next one has its place in the database's own line, so that none overtakes it on the way there. */
    const inOrder = (name: string, turn: ClaimsTurn) =>
      inClaims(database, turn, async (sql) => {
        done.push(name);
        while (done.length < all.length && !(await isClaimAwaited(sql))) await sleep(5);
      });
    let waiting: Promise<void>[] = [];
    await whileAnotherClaims(async (sql) => {
      waiting = [
        ...all.slice(0, 4).map((name) => inOrder(name, 'asking')),
        ...all.slice(4).map((name) => inOrder(name, 'giving back')),
      ];
      while (!(await isClaimAwaited(sql))) await sleep(5);
    });
    await Promise.all(waiting);
    // The first two were at the database already.
    expect(done.slice(0, 2).toSorted()).toEqual(['a', 'b']);
    expect(done.slice(2)).toEqual(['x', 'y', 'c', 'd']);
  });

  it('are given on by those who fail', async () => {
    const failing = Array.from({ length: 5 }, () =>
      inClaims(database, 'asking', () => Promise.reject(new Error('no'))),
    );
    const ends = await Promise.allSettled(failing);
    expect(ends.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    await claim('after', 'asking');
    expect(done).toEqual(['after']);
  });

  it('see what was committed by whoever had the turn before', async () => {
    await database.rows(`create table counted (value integer not null)`);
    await database.rows(`insert into counted values (0)`);
    const count = async () =>
      inClaims(database, 'asking', async (sql) => {
        const [row] = await sql.rows<{ value: number }>(`select value from counted`);
        await sql.rows(`update counted set value = $1`, [row!.value + 1]);
      });
    await Promise.all(Array.from({ length: 20 }, count));
    expect(await database.rows(`select value from counted`)).toEqual([{ value: 20 }]);
  });
});
