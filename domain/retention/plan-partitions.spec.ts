import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDays, planPartitions, type PlannedPartition } from './plan-partitions.js';

const AHEAD = 8;

interface Range {
  from: string;
  to: string;
}

const isHome = (day: string) => (range: Range) => range.from <= day && day < range.to;

/** Every one of these days lies in exactly one partition. */
function expectOneHomeForEachDay(ranges: readonly Range[], from: string, days: number): void {
  const wrong: string[] = [];
  for (let day = from; day <= addDays(from, days); day = addDays(day, 1)) {
    if (ranges.filter(isHome(day)).length !== 1) wrong.push(day);
  }
  expect(wrong).toEqual([]);
}

function expectNoOverlap(ranges: readonly Range[]): void {
  const sorted = [...ranges].sort((left, right) => (left.from < right.from ? -1 : 1));
  const wrong = sorted.filter((range, index) => {
    const next = sorted[index + 1];
    return range.from >= range.to || (next !== undefined && range.to > next.from);
  });
  expect(wrong).toEqual([]);
}

const lengthInDays = ({ from, to }: Range) => (Date.parse(to) - Date.parse(from)) / 86_400_000;
const isMonth = ({ suffix }: PlannedPartition) => suffix.endsWith('m');

const someDay = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('2020-01-01', days));
const someAge = fc.oneof(fc.constantFrom(0, 1, 7, 30, 31, 32, 90, 365), fc.integer({ min: 0, max: 800 }));

describe('planning partitions', () => {
  it('makes one for each day from today to the last that a row written within the time ahead can need', () => {
    const planned = planPartitions('2026-03-30', 2, 1, []);
    expect(planned).toEqual([
      { suffix: '20260330', from: '2026-03-30', to: '2026-03-31' },
      { suffix: '20260331', from: '2026-03-31', to: '2026-04-01' },
      { suffix: '20260401', from: '2026-04-01', to: '2026-04-02' },
      { suffix: '20260402', from: '2026-04-02', to: '2026-04-03' },
    ]);
  });

  it.each([
    ['2024-02-27', ['20240227', '20240228', '20240229', '20240301'], 'the leap day of 2024'],
    ['2026-02-27', ['20260227', '20260228', '20260301', '20260302'], 'no leap day in 2026'],
    ['2100-02-27', ['21000227', '21000228', '21000301', '21000302'], 'no leap day in 2100'],
    ['2026-12-30', ['20261230', '20261231', '20270101', '20270102'], 'the end of a year'],
    ['2026-03-28', ['20260328', '20260329', '20260330', '20260331'], 'the night of a clock change in Europe'],
  ])('from %s on makes %j: %s', (today, suffixes) => {
    expect(planPartitions(today, 3, 0, []).map(({ suffix }) => suffix)).toEqual(suffixes);
  });

  it('leaves no gap and no overlap, whatever the day and the age', () => {
    fc.assert(
      fc.property(someDay, someAge, (today, age) => {
        const planned = planPartitions(today, age, AHEAD, []);
        expectOneHomeForEachDay(planned, today, age + AHEAD);
        expectNoOverlap(planned);
        expect(new Set(planned.map(({ suffix }) => suffix)).size).toBe(planned.length);
      }),
      { numRuns: 200 },
    );
  });

  it('never overlaps what exists, while days pass and the age is changed to and fro', () => {
    const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), someAge), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(someDay, history, (start, changes) => {
        const existing: PlannedPartition[] = [];
        let today = start;
        for (const [daysLater, age] of changes) {
          today = addDays(today, daysLater);
          existing.push(...planPartitions(today, age, AHEAD, existing));
          expectOneHomeForEachDay(existing, today, age + AHEAD);
        }
        expectNoOverlap(existing);
        expect(new Set(existing.map(({ suffix }) => suffix)).size).toBe(existing.length);
      }),
      { numRuns: 60 },
    );
  });

  it('plans nothing when everything exists', () => {
    fc.assert(
      fc.property(someDay, someAge, (today, age) => {
        const planned = planPartitions(today, age, AHEAD, []);
        expect(planPartitions(today, age, AHEAD, planned)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('adds one day a day when the hub runs on', () => {
    const existing = planPartitions('2026-06-10', 7, AHEAD, []);
    const next = planPartitions('2026-06-11', 7, AHEAD, existing);
    expect(next).toEqual([{ suffix: '20260626', from: '2026-06-26', to: '2026-06-27' }]);
  });

  it('goes on after a long rest, without filling the days that are over', () => {
    const existing = planPartitions('2026-01-01', 7, AHEAD, []);
    const next = planPartitions('2026-03-01', 7, AHEAD, existing);
    expect(next[0]!.from).toBe('2026-03-01');
    expectOneHomeForEachDay(next, '2026-03-01', 7 + AHEAD);
  });

  it('makes days only for ages up to 31 days, on every day of the year', () => {
    for (let day = '2027-06-01'; day < '2028-06-01'; day = addDays(day, 1)) {
      expect(planPartitions(day, 31, AHEAD, []).filter(isMonth)).toEqual([]);
    }
  });

  it('makes whole months for what lies further ahead', () => {
    const planned = planPartitions('2026-01-10', 365, AHEAD, []);
    for (const partition of planned) {
      if (isMonth(partition))
        expect(partition.from.endsWith('-01') && partition.to.endsWith('-01')).toBe(true);
      else expect(lengthInDays(partition)).toBe(1);
    }
    const months = planned.filter(isMonth).map(({ suffix }) => suffix);
    expect(months).toEqual([
      '202603m',
      '202604m',
      '202605m',
      '202606m',
      '202607m',
      '202608m',
      '202609m',
      '202610m',
      '202611m',
      '202612m',
      '202701m',
    ]);
  });

  it('keeps the number of partitions in bounds: ten years are 120 months and at most three months of days', () => {
    expect(planPartitions('2026-01-01', 3650, AHEAD, []).length).toBeLessThan(120 + 93);
  });

  it('from 7 days to 90 and back: the days stay, the rest is filled by days or whole months', () => {
    const week = planPartitions('2026-01-10', 7, AHEAD, []);
    const quarter = planPartitions('2026-01-10', 90, AHEAD, week);
    expect(quarter.filter(isMonth).map(({ suffix }) => suffix)).toEqual(['202603m', '202604m']);
    expect(quarter.filter((partition) => !isMonth(partition))).toHaveLength(34);
    expect(planPartitions('2026-01-10', 7, AHEAD, [...week, ...quarter])).toEqual([]);
    const all = [...week, ...quarter];
    expectOneHomeForEachDay(all, '2026-01-10', 90 + AHEAD);
  });

  it('fills a month by days when some of its days exist already', () => {
    const existing = [{ from: '2026-05-10', to: '2026-05-11' }];
    const planned = planPartitions('2026-01-10', 140, AHEAD, existing);
    const may = planned.filter(({ from }) => from.startsWith('2026-05'));
    expect(may.filter(isMonth)).toEqual([]);
    expect(may).toHaveLength(30);
  });
});
