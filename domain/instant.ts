/**
 * Postgres's text of a `timestamptz` in a UTC session (`2026-02-03 04:05:06.2+00`) as the wire has it:
 * `2026-02-03T04:05:06.200000Z`. Microseconds are kept, which a `Date` would lose.
 */
export function toWireInstant(text: string): string {
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00(?::?00)?$/.exec(text);
  if (!match) return text;
  return `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(6, '0')}Z`;
}
