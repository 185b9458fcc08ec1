const exact = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** A wire instant (UTC, `Z`) as day, time and zone of the reader. */
export function formatInstant(instant: string): string {
  return exact.format(new Date(instant));
}

/** The time of day, for steps of one story; with the day, and the year, where it is another than that of `nowMs`. */
export function formatMoment(instant: string, nowMs: number): string {
  const [at, now] = [new Date(instant), new Date(nowMs)];
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  const isThisYear = at.getFullYear() === now.getFullYear();
  return `${(isThisYear ? day : dayOfYear).format(at)}, ${clock.format(at)}`;
}

/** `5 seconds ago`, `yesterday`; `nowMs` in ms since 1970. */
export function formatAge(instant: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(instant)) / 1000));
  if (seconds < 5) return 'just now';
  if (seconds < 60) return relative.format(-seconds, 'second');
  if (seconds < 3600) return relative.format(-Math.round(seconds / 60), 'minute');
  if (seconds < 86_400) return relative.format(-Math.round(seconds / 3600), 'hour');
  return relative.format(-Math.round(seconds / 86_400), 'day');
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min` */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
