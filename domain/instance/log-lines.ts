/** Hosts break longer lines, in characters: output without line ends must not fill the memory. */
export const LONGEST_LOG_LINE = 8 * 1024;

/** A time in which an instance worked for somebody; ISO texts, null where it is open. */
export interface LogWindow {
  readonly since: string | null;
  readonly until: string | null;
}

/** Which lines of a log are wanted: the last, or else the first; all when neither is said. */
export interface LineChoice {
  readonly tail?: number | undefined;
  readonly head?: number | undefined;
}

/** The time that two windows share. */
export function sharedWindow(one: LogWindow, other: LogWindow): LogWindow {
  return {
    since: pick(one.since, other.since, (left, right) => left > right),
    until: pick(one.until, other.until, (left, right) => left < right),
  };
}

/**
 * The lines of a log that were written in a window. Hosts begin each line with its time; a line without one (the rest
 * of a longer text) belongs to the line before it. Times are compared by the millisecond, which hosts share.
 */
export function linesWithin(log: string, window: LogWindow): string[] {
  const since = window.since === null ? -Infinity : Date.parse(window.since);
  const until = window.until === null ? Infinity : Date.parse(window.until);
  let isInside = window.since === null;
  return linesOf(log).filter((line) => {
    const at = timeOfLine(line);
    if (at !== null) isInside = at >= since && at <= until;
    return isInside;
  });
}

/** The lines of a text that ends each with a line end. */
export function linesOf(log: string): string[] {
  const lines = log.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** The chosen end of the lines; the tail where both ends are asked for. */
export function chooseLines(lines: readonly string[], { tail, head }: LineChoice): readonly string[] {
  if (tail !== undefined) return lines.slice(Math.max(0, lines.length - tail));
  return lines.slice(0, head);
}

function pick(
  one: string | null,
  other: string | null,
  isFirst: (left: number, right: number) => boolean,
): string | null {
  if (one === null || other === null) return one ?? other;
  return isFirst(Date.parse(one), Date.parse(other)) ? one : other;
}

/** The time that a line of a log begins with, in ms since the epoch; null for one that is the rest of a longer text. */
export function timeOfLine(line: string): number | null {
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)(?= |$)/.exec(line)?.[0];
  const at = stamp === undefined ? NaN : Date.parse(stamp);
  return Number.isNaN(at) ? null : at;
}
