import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { openAnotherPool, openTestDatabase } from '../../test/support/open-test-database.js';
import { describeWith } from '../../test/support/require-part.js';
import type { Database } from '../database.js';
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
  const whileAnotherClaims = (work: () => Promise<void>) =>
    other.transaction(async (sql) => {
      await lockClaims(sql);
      await work();
    });

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
    let waiting: Promise<void>[] = [];
    await whileAnotherClaims(async () => {
      waiting = [
        ...['a', 'b', 'c', 'd'].map((name) => claim(name, 'asking')),
        ...['x', 'y'].map((name) => claim(name, 'giving back')),
      ];
      await Promise.resolve();
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
