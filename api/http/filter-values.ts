import { z } from 'zod';

/** One value or a repeated key. */
export const listValue = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/**
 * A time as the original took it: a date, or date and time. The zone is not looked at; the values mean UTC.
 */
export const timeValue = z
  .string()
  .trim()
  .regex(/^[12]\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)? ?(?:Z|[+-]\d\d:?\d\d)?$/)
  .transform((text) => text.replace(/ ?(?:Z|[+-]\d\d:?\d\d)$/, ''))
  .refine(isRealTime, 'There is no such date or time');

/** A time with its zone, as an ISO text in UTC. */
export const instantValue = z.iso
  .datetime({ offset: true, error: 'Must be a time with its zone, e.g. 2026-02-03T04:05:06Z' })
  .transform((text) => new Date(text).toISOString());

/** `2026-02-31` matches the pattern and is no day; neither is hour 25. */
function isRealTime(text: string): boolean {
  const padded = `${text.slice(0, 10)}T${(text.slice(11, 19) || '00:00').slice(0, 8)}Z`;
  const time = new Date(padded);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 10) === text.slice(0, 10);
}
