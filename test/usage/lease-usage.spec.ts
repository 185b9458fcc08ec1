/** What single pieces of work used, however short they were. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { recordUsage } from '../../activities/usage/record-usage.js';
import type { Database } from '../../db/database.js';
import type { InstanceUsage } from '../../hosts/model-host.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { describeWith } from '../support/require-part.js';

const notMeasured = { peak_memory_bytes: null, peak_cpu_millicores: null, usage_samples: 0 };
let began: number;
/** Seconds after the story's begin. */
const at = (second: number) => new Date(began + Math.round(second * 1000)).toISOString();
const period = (second: number, memoryBytes: number, cpuMillicores = 10) => ({
  from: at(second),
  to: at(second + 1),
  memoryBytes,
  cpuMillicores,
});

describeWith('postgres')('the usage of a lease', () => {
  let database: Database;
  let model: MadeModel;
  let id: string;

  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(() => clear());
  async function clear(): Promise<void> {
    began = Date.now() - 60_000;
    for (const table of ['usage_sample', 'instance_usage', 'instance_lease', 'model_instance'])
      await database.rows(`delete from ${table}`);
    model = await makeModel(database);
    id = await makeInstance(database, { modelId: model.id, uid: 'uid' });
  }

  /** A lease that worked from one second to another, or works still. */
  async function lease(from: number, to: number | null): Promise<string> {
    const { leaseToken } = await makeLease(database, await makeRequest(database, { modelId: model.id }), id);
    await database.rows(
      `update instance_lease set granted_at = $2, released_at = $3, state = $4 where lease_token = $1`,
      [leaseToken, at(from), to === null ? null : at(to), to === null ? 'GRANTED' : 'RELEASED'],
    );
    return leaseToken;
  }
  async function read(leaseToken: string): Promise<Record<string, unknown>> {
    const [row] = await database.rows<Record<string, unknown>>(
      `select peak_memory_bytes, peak_cpu_millicores, usage_samples from instance_lease where lease_token = $1`,
      [leaseToken],
    );
    return row!;
  }
  const tell = (over: Partial<InstanceUsage>) =>
    database.transaction((sql) =>
      recordUsage(sql, [
        {
          instanceId: id,
          uid: 'uid',
          namespace: 'local',
          cpuMillicores: 50,
          memoryBytes: 100,
          peakMemoryBytes: null,
          cpuSecondsTotal: null,
          sampledAt: at(15),
          ...over,
        },
      ]),
    );

  it('shorter than a sample is its own, not that of the work before and after it', async () => {
    const [before, short, after] = [await lease(1, 3.2), await lease(5.1, 5.2), await lease(9, 12)];
    await tell({
      recentPeriods: [period(2, 300), period(3, 200), period(5, 900, 800), period(9, 400), period(10, 500)],
    });
    expect(await read(before)).toEqual({
      peak_memory_bytes: 300,
      peak_cpu_millicores: 10,
      usage_samples: 2,
    });
    expect(await read(short)).toEqual({
      peak_memory_bytes: 900,
      peak_cpu_millicores: 800,
      usage_samples: 1,
    });
    expect(await read(after)).toMatchObject({ peak_memory_bytes: 500, usage_samples: 2 });
  });

  it('counts each period once over several looks, and takes the greatest', async () => {
    const long = await lease(1, null);
    await tell({ sampledAt: at(3), recentPeriods: [period(1, 300), period(2, 700, 90)] });
    await tell({ sampledAt: at(3), recentPeriods: [period(1, 300), period(2, 700, 90)] });
    await tell({ sampledAt: at(4), recentPeriods: [period(2, 700, 90), period(3, 100, 5)] });
    expect(await read(long)).toEqual({ peak_memory_bytes: 700, peak_cpu_millicores: 90, usage_samples: 3 });
  });

  it('is that of the samples within it where the host knows no more', async () => {
    const [within, missed] = [await lease(10, 20), await lease(16, 17)];
    await tell({ sampledAt: at(15) });
    expect(await read(within)).toEqual({ peak_memory_bytes: 100, peak_cpu_millicores: 50, usage_samples: 1 });
    expect(await read(missed)).toEqual(notMeasured);
  });

  describe('from samples of 15 seconds', () => {
    const windowMs = 15_000;
    /** One sample as a cluster measures it, told when its time is over. */
    const sample = (index: number, memoryBytes: number, cpuMillicores: number) => {
      const [from, to] = [at((index * windowMs) / 1000), at(((index + 1) * windowMs) / 1000)];
      const figures = { memoryBytes, cpuMillicores };
      return tell({ sampledAt: to, ...figures, recentPeriods: [{ from, to, ...figures }] });
    };

    it('T39: is that of the sample in whose time it worked, however short it was', async () => {
      const [short, later] = [await lease(3, 5), await lease(16, 18)];
      await sample(0, 700, 40);
      expect(await read(short)).toEqual({
        peak_memory_bytes: 700,
        peak_cpu_millicores: 40,
        usage_samples: 1,
      });
      expect(await read(later)).toEqual(notMeasured);
    });

    it('is not the CPU of the work before it, once a sample tells its own', async () => {
      const [heavy, light] = [await lease(1, 12), await lease(13, null)];
      await sample(0, 700, 900);
      expect(await read(heavy)).toMatchObject({ peak_memory_bytes: 700, peak_cpu_millicores: 900 });
      expect(await read(light)).toEqual({
        peak_memory_bytes: 700,
        peak_cpu_millicores: null,
        usage_samples: 1,
      });
      await sample(1, 600, 20);
      expect(await read(light)).toEqual({
        peak_memory_bytes: 700,
        peak_cpu_millicores: 20,
        usage_samples: 2,
      });
      expect(await read(heavy)).toMatchObject({ peak_cpu_millicores: 900, usage_samples: 1 });
    });

    it('is of no sample that it did not touch, and measured in each that it did', async () => {
      // Whole milliseconds, as they are stored: two parts that are the same must not differ by a rounding here.
      const tenths = (max: number) => fc.integer({ min: 1, max }).map((count) => count * 100);
      const work = fc.record({ pause: tenths(80), lasts: tenths(200) });
      const cpus = fc.uniqueArray(fc.integer({ min: 1, max: 9000 }), { minLength: 3, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(fc.array(work, { minLength: 1, maxLength: 4 }), cpus, async (works, cpu) => {
          await clear();
          const leases: { readonly from: number; readonly to: number; readonly token: string }[] = [];
          let end = 0;
          for (const { pause, lasts } of works) {
            const [from, to] = [end + pause, end + pause + lasts];
            leases.push({ from, to, token: await lease(from / 1000, to / 1000) });
            end = to;
          }
          for (const [index, one] of cpu.entries()) await sample(index, one + 1, one);
          const partOf = ({ from, to }: (typeof leases)[number], index: number) =>
            Math.min(to, (index + 1) * windowMs) - Math.max(from, index * windowMs);
          for (const one of leases) {
            const touched = cpu.flatMap((_, index) => (partOf(one, index) >= 0 ? [index] : []));
            const row = await read(one.token);
            if (touched.length === 0) {
              expect(row).toEqual(notMeasured);
              continue;
            }
            const highest = Math.max(...touched.map((index) => cpu[index]!));
            expect(row).toMatchObject({ peak_memory_bytes: highest + 1, usage_samples: touched.length });
            const mostlyOthers = touched.filter(
              (index) =>
                one.to > (index + 1) * windowMs &&
                leases.some((other) => partOf(other, index) > partOf(one, index)),
            );
            const own = touched.filter((index) => !mostlyOthers.includes(index)).map((index) => cpu[index]!);
            expect(row.peak_cpu_millicores).toBe(own.length === 0 ? null : Math.max(...own));
            // Whoever ended while samples were taken has its CPU measured.
            if (one.to <= cpu.length * windowMs) expect(own).not.toEqual([]);
          }
        }),
        { numRuns: 25 },
      );
    }, 30_000);
  });

  it('is nothing, and says so, where nothing was measured', async () => {
    const [early, late] = [await lease(1, 2), await lease(20, null)];
    await tell({ recentPeriods: [period(5, 900)] });
    expect(await read(early)).toEqual(notMeasured);
    expect(await read(late)).toEqual(notMeasured);
  });

  it('does not wait for whoever holds the lease, and is told at the next look', async () => {
    const held = await lease(1, null);
    const periods = [period(1, 300)];
    await database.transaction(async (sql) => {
      await sql.rows(`select from instance_lease where lease_token = $1 for update`, [held]);
      await tell({ sampledAt: at(2), recentPeriods: periods });
    });
    expect(await read(held)).toEqual(notMeasured);
    await tell({ sampledAt: at(3), recentPeriods: [...periods, period(2, 100)] });
    expect(await read(held)).toEqual({ peak_memory_bytes: 300, peak_cpu_millicores: 10, usage_samples: 1 });
  });
});
