/** A partition to make: `from` is its first day, `to` the first day after it (both `YYYY-MM-DD`). */
export interface PlannedPartition {
  readonly suffix: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Ages up to this many days get a partition a day; older ones a month, so that years do not mean thousands. Whatever
 * such an age can reach within the time ahead is planned by days too.
 */
const LONGEST_DAILY_AGE_DAYS = 31;

/**
 * Which partitions are missing so that rows that expire between today and `today + ageDays + aheadDays` have a home.
 * Days that some existing partition covers already are left alone; a month that would overlap one is filled by days.
 * @param today first day, `YYYY-MM-DD`
 * @param existing ranges that exist, `to` exclusive
 */
export function planPartitions(
  today: string,
  ageDays: number,
  aheadDays: number,
  existing: readonly { from: string; to: string }[],
): PlannedPartition[] {
  const covered = existing.map(({ from, to }) => ({ from, to }));
  const planned: PlannedPartition[] = [];
  const last = addDays(today, ageDays + aheadDays);
  const lastDaily = addDays(today, LONGEST_DAILY_AGE_DAYS + aheadDays);
  for (let day = today; day <= last; day = addDays(day, 1)) {
    if (covered.some(({ from, to }) => from <= day && day < to)) continue;
    const partition = partitionFor(day, lastDaily, covered);
    covered.push(partition);
    planned.push(partition);
  }
  return planned;
}

function partitionFor(
  day: string,
  lastDaily: string,
  covered: readonly { from: string; to: string }[],
): PlannedPartition {
  const month = { from: `${day.slice(0, 7)}-01`, to: firstOfNextMonth(day) };
  const overlaps = covered.some(({ from, to }) => from < month.to && month.from < to);
  if (month.from <= lastDaily || overlaps) {
    return { suffix: day.replaceAll('-', ''), from: day, to: addDays(day, 1) };
  }
  return { suffix: `${day.slice(0, 7).replace('-', '')}m`, ...month };
}

const DAY_MS = 86_400_000;
const toText = (time: number) => new Date(time).toISOString().slice(0, 10);

/** Calendar days in UTC: no clock changes, leap days counted. */
export function addDays(day: string, days: number): string {
  return toText(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);
}

function firstOfNextMonth(day: string): string {
  const [year, month] = day.split('-').map(Number) as [number, number];
  return toText(Date.UTC(year, month, 1));
}
