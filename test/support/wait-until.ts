import { setTimeout as sleep } from 'node:timers/promises';

/** How long and how often to look, and what to tell whoever waited in vain. */
export interface Pace {
  readonly withinMs: number;
  readonly everyMs: number;
  /** What was seen last. */
  readonly describe?: () => string | undefined;
}

/**
 * Looks again and again until there is something to be found, and gives it.
 * @throws Error when the time is over, with `what` was waited for and what was seen last
 */
export async function waitUntil<Found>(
  what: string,
  look: () => Promise<Found | undefined>,
  { withinMs, everyMs, describe }: Pace,
): Promise<Found> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Error(`waited ${withinMs / 1000} s for ${what}; last seen: ${describe?.() ?? 'not yet'}`);
    await sleep(everyMs);
  }
}
