import { setTimeout as sleep } from 'node:timers/promises';
import { HubAnswerError, type HubClient } from '../test/support/hub-client.js';
import { percentile, type ProofContext } from './proof.js';

/** What to send next. */
export interface Submission {
  readonly modelId: string;
  readonly entries: readonly string[];
}

/** A request whose acceptance was seen: HTTP 200 with an id. */
export interface AcceptedRequest extends Submission {
  readonly id: number;
  /** Epoch ms of the acceptance, and how long it took. */
  readonly acceptedAtMs: number;
  readonly tookMs: number;
}

/** Sends one request. @throws HubAnswerError when it is refused */
export async function submitOne(client: HubClient, submission: Submission): Promise<AcceptedRequest> {
  const startedAt = performance.now();
  const { id } = await client.submitEntries(submission.modelId, submission.entries, false);
  return { ...submission, id, acceptedAtMs: Date.now(), tookMs: performance.now() - startedAt };
}

/**
 * Claims that a load was accepted within so many ms, each request of it. Of the few of a small version the slowest says
 * what else the machine did: there half of them stand for all, which waits for what is away would make late as well.
 */
export function claimAccepted(
  { accepted }: SteadyLoad,
  { claim, small }: Pick<ProofContext, 'claim' | 'small'>,
  when: string,
  withinMs: number,
): void {
  const took = accepted.map(({ tookMs }) => tookMs);
  const which = small ? 'most are' : 'each is';
  const seen = `${accepted.length}, p50 ${percentile(took, 0.5).toFixed(0)} ms, slowest ${percentile(took, 1).toFixed(0)} ms`;
  const holds = percentile(took, small ? 0.5 : 1) <= withinMs;
  claim(`${when} ${which} accepted within ${withinMs / 1000} s`, holds, seen);
}

/** Sends requests at a steady pace whatever becomes of them, and remembers which were accepted. */
export class SteadyLoad {
  readonly accepted: AcceptedRequest[] = [];
  /** Refusals and broken connections, by their words. */
  readonly refused = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #running: Promise<void>;

  constructor(
    private readonly client: HubClient,
    private readonly perSecond: number,
    private readonly next: () => Submission,
  ) {
    this.#running = this.#send();
  }

  /** Sends nothing more and waits for the answers that are due. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#sending);
  }

  async #send(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const sending = this.#submit(this.next()).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
      await sleep(1000 / this.perSecond, undefined, { signal }).catch(() => undefined);
    }
  }

  async #submit(submission: Submission): Promise<void> {
    try {
      this.accepted.push(await submitOne(this.client, submission));
    } catch (error) {
      const words =
        error instanceof HubAnswerError ? `HTTP ${error.status}` : `no answer (${codeOf(error as Error)})`;
      this.refused.set(words, (this.refused.get(words) ?? 0) + 1);
    }
  }
}

/** Different valid molecules, `count` of them, up to 6,000. */
export function chains(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => `${'C'.repeat(1 + (index % 60))}O${'C'.repeat(1 + Math.floor(index / 60))}`,
  );
}

function codeOf({ message, cause }: Error): string {
  return (cause as { code?: string } | undefined)?.code ?? message;
}
