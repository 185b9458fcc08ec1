import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process is asked whether it still answers, while it runs. */
export interface HealthCheck {
  /** Resolves when the process answers; rejects when it does not, at the latest when the signal says so. */
  readonly ask: (child: ChildProcess, signal: AbortSignal) => Promise<void>;
  /** Time from one question to the next, and the time an answer may take, in ms. */
  readonly everyMs: number;
  /** So many questions in a row without an answer, and the process is given up. */
  readonly mostUnanswered: number;
}

/**
 * Asks until the signal ends it, or no answer came for too long. Questions are counted and not the time: a supervisor
 * that was frozen itself has asked nobody meanwhile.
 * @param tell hears when the process falls silent and when it answers again
 * @returns is the process given up?
 */
export async function isGivenUp(
  child: ChildProcess,
  { ask, everyMs, mostUnanswered }: HealthCheck,
  over: AbortSignal,
  tell: (text: string) => void,
): Promise<boolean> {
  let unanswered = 0;
  while (!over.aborted) {
    const asking = whySilent(() => ask(child, AbortSignal.timeout(everyMs)), everyMs);
    const [problem] = await Promise.all([asking, pause(everyMs, over)]);
    if (over.aborted) return false;
    if (problem === undefined && unanswered > 0) tell('answers again');
    if (problem !== undefined && unanswered === 0) tell(`does not answer (${problem})`);
    unanswered = problem === undefined ? 0 : unanswered + 1;
    if (unanswered >= mostUnanswered) return true;
  }
  return false;
}

/** Ends early with the signal. */
function pause(ms: number, over: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: over, ref: false }).catch(() => undefined);
}

/** Undefined when it answered in time. A question that hangs on beyond its signal is left to itself. */
async function whySilent(ask: () => Promise<void>, withinMs: number): Promise<string | undefined> {
  const tooLate = sleep(withinMs, `no answer within ${withinMs} ms`, { ref: false });
  const answer = ask().then(
    () => undefined,
    (error: unknown) => reasonOf(error),
  );
  return Promise.race([answer, tooLate]);
}

/** Of a failed connection the cause says more. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
