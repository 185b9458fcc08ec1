import {
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  ClaimStatus,
  ProcessWorkRequestEffects,
  RequestRun,
  SmallOutcome,
} from '../activities/process-work-request.effects.js';
import {
  leaseChangedSignal,
  requestProgressQuery,
  type ProcessWorkRequestInput,
  type RequestProgress,
} from './process-work-request.messages.js';

const quickDatabaseWork = proxyLocalActivities<ProcessWorkRequestEffects>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
  localRetryThreshold: '10s',
});
const longWait = proxyActivities<ProcessWorkRequestEffects>({
  startToCloseTimeout: '30d',
  heartbeatTimeout: '5s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

/**
 * A claim is a row and a signal only a hint, so a waiting run looks by itself too; a lost hint is told again by the
 * leader within seconds. The further back in line the more seldom: when two thousand waited and each looked after 10,
 * 40 and 100 s, their looking took most of the time that a small machine had for the work itself. And the longer it has
 * waited the more seldom: each look is written into a history that may have to last for weeks.
 */
function secondsUntilNextLook(position: number | null, looks: number): number {
  return position === null ? MOST_SECONDS : Math.min(MOST_SECONDS, Math.max(30, 5 * position) * 2 ** looks);
}
const MOST_SECONDS = 900;

/** A slice had nothing left to do, was not needed any more, or was short and completed the request by itself. */
type SliceEnd = 'finished' | 'ended' | 'completed';
type Granted = Extract<ClaimStatus, { type: 'granted' }>;

/** A request's story: claim an instance → run its unfinished shards → end; again when an instance was lost. */
export async function processWorkRequest(input: ProcessWorkRequestInput): Promise<void> {
  await new RequestStory(input).tell();
}

class RequestStory {
  #hints = 0;
  /** Slices whose instance works; whoever begins the story anew would lose sight of them. */
  #working = 0;
  #lastEffect: Promise<unknown> = Promise.resolve();
  readonly #progress: { -readonly [Key in keyof RequestProgress]: RequestProgress[Key] } = {
    phase: 'starting',
    waitingBecause: null,
    position: null,
    attempts: 0,
    instanceIds: [],
  };

  constructor(private readonly run: RequestRun) {
    setHandler(leaseChangedSignal, () => void (this.#hints += 1));
    setHandler(requestProgressQuery, () => this.#progress);
  }

  async tell(): Promise<void> {
    try {
      await this.#runSlices();
    } catch (error) {
      // Work that fails after it was cancelled is not tried again, and gives its own reason.
      if (!CancellationScope.current().consideredCancelled) throw error;
      await CancellationScope.nonCancellable(() =>
        this.#inTurn(() => quickDatabaseWork.abandonWorkRequest(this.run)),
      );
      throw isCancellation(error) ? error : new CancelledFailure('the run was cancelled', [], error as Error);
    } finally {
      this.#progress.phase = 'finished';
      setCurrentDetails('Finished');
    }
  }

  async #runSlices(): Promise<void> {
    const { claim, slices } = await this.#inTurn(() => quickDatabaseWork.beginWorkRequest(this.run));
    const further = Array.from({ length: slices - 1 }, (_, index) => this.#runFurtherSlice(index + 1));
    await this.#finish([this.#runSlice(claim), ...further]);
  }

  /** Ends the request when all slices have nothing left to do; short work has ended it by itself. */
  async #finish(slices: Promise<SliceEnd>[]): Promise<void> {
    const ends = await Promise.all(slices);
    if (ends.includes('completed')) return;
    if (ends.includes('finished')) await this.#inTurn(() => quickDatabaseWork.endWorkRequest(this.run));
    else await this.#inTurn(() => quickDatabaseWork.releaseRun(this.run));
  }

  async #runFurtherSlice(slice: number): Promise<SliceEnd> {
    return this.#runSlice(await this.#inTurn(() => quickDatabaseWork.claimSlice(this.run, slice)));
  }

  /** One instance after another works on the request until no shard is left for this slice. */
  async #runSlice(first: ClaimStatus): Promise<SliceEnd> {
    let claim = first;
    for (;;) {
      const granted = await this.#untilGranted(claim);
      if (granted.type !== 'granted') return granted.type;
      this.#follow(granted);
      this.#working += 1;
      const outcome = await this.#work(granted);
      this.#working -= 1;
      if (outcome.type === 'completed') return 'completed';
      if (outcome.type === 'finished' || outcome.type === 'ended') {
        // A slice that still waits in line may have nothing left to wait for.
        this.#hints += 1;
        return outcome.type;
      }
      log.info('the instance did not finish', { requestId: this.run.requestId, outcome: outcome.type });
      claim = await this.#inTurn(() => quickDatabaseWork.settleLease(granted.leaseToken, outcome));
    }
  }

  /** Short work is tried in this same workflow task, once: what it did not manage is not short. */
  #work({ leaseToken, small }: Granted): Promise<SmallOutcome> {
    const isFirst = this.#progress.attempts === 1;
    return small && isFirst
      ? this.#inTurn(() => quickDatabaseWork.runSmall(leaseToken))
      : longWait.runLease(leaseToken);
  }

  async #untilGranted(first: ClaimStatus): Promise<Exclude<ClaimStatus, { type: 'waiting' }>> {
    let claim = first;
    // Counted before the row is read: a hint that comes while it is read is not slept through.
    let seen = 0;
    for (let looks = 0; claim.type === 'waiting'; looks += 1) {
      this.#progress.phase = 'waiting';
      this.#progress.waitingBecause = claim.because;
      this.#progress.position = claim.position;
      setCurrentDetails(`Waiting: ${claim.because}`);
      const known = seen;
      await condition(() => this.#hints > known, `${secondsUntilNextLook(claim.position, looks)}s`);
      seen = this.#hints;
      const { leaseToken } = claim;
      claim = await this.#inTurn(() => this.#beginAnewOr(() => quickDatabaseWork.readClaim(leaseToken)));
    }
    return claim;
  }

  /** A history that got long while all of the run waits ends here: claiming again gives the claims there are. */
  #beginAnewOr<Outcome>(effect: () => Promise<Outcome>): Promise<Outcome> {
    const mayBeginAnew = this.#working === 0 && workflowInfo().continueAsNewSuggested;
    return mayBeginAnew ? continueAsNew<typeof processWorkRequest>(this.run) : effect();
  }

  /**
   * Local activities of one run go one after the other: side by side they end in any order, and a replay gives back their
   * outcomes in the order they were asked for.
   */
  #inTurn<Outcome>(effect: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = this.#lastEffect.then(effect);
    this.#lastEffect = outcome.catch(() => undefined);
    return outcome;
  }

  #follow({ instanceId, ready }: Granted): void {
    this.#progress.phase = ready ? 'running' : 'instance-starting';
    this.#progress.waitingBecause = null;
    this.#progress.position = null;
    this.#progress.attempts += 1;
    this.#progress.instanceIds = [...this.#progress.instanceIds, instanceId].slice(-10);
    setCurrentDetails(`Running on instance ${instanceId}`);
  }
}
