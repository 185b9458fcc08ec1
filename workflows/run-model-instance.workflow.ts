import {
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunModelInstanceEffects } from '../activities/run-model-instance.effects.js';
import {
  instanceChangedSignal,
  instanceStoryQuery,
  type RunModelInstanceInput,
} from './run-model-instance.messages.js';

const quickDatabaseWork = proxyLocalActivities<RunModelInstanceEffects>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
  localRetryThreshold: '10s',
});
/** The worker beats while it calls: one that died in the middle of a call is noticed before the call's own time is over. */
const heartbeatTimeout = '4s';
/** A host may be slow, a log long, and a server may take its time to end. */
const hostCall = proxyActivities<RunModelInstanceEffects>({
  startToCloseTimeout: '30s',
  heartbeatTimeout,
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
});

/** Even without a hint the row is read this often, so a lost one costs seconds and not an instance. */
const LOOK_AGAIN_SECONDS = 30;

/** An instance's story: create → wait until ready → wait for its end → keep its evidence → delete → free its place. */
export async function runModelInstance({ instanceId }: RunModelInstanceInput): Promise<void> {
  let hints = 0;
  // Counted before the row is read: a hint that comes while it is read is not slept through.
  let seen = 0;
  let story = 'starting';
  setHandler(instanceChangedSignal, () => void (hints += 1));
  setHandler(instanceStoryQuery, () => story);

  const tell = (words: string) => {
    story = words;
    setCurrentDetails(words);
  };
  const hintOr = async (seconds: number) => {
    await condition(() => hints > seen, `${Math.ceil(Math.max(1, seconds) * 1000)}ms`);
    seen = hints;
  };

  tell('Asking the host for the instance');
  await hostCall.createInstance(instanceId);
  await untilItsEnd(instanceId, tell, hintOr);

  tell('Keeping the log and the peak use');
  await hostCall.keepEvidence(instanceId);
  await hostCall.deleteInstance(instanceId);
  await quickDatabaseWork.finishInstance(instanceId);
  tell('Ended');
}

async function untilItsEnd(
  instanceId: string,
  tell: (words: string) => void,
  hintOr: (seconds: number) => Promise<void>,
): Promise<void> {
  for (;;) {
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof runModelInstance>({ instanceId });
    const { state, readySecondsLeft } = await quickDatabaseWork.readInstance(instanceId);
    switch (state) {
      case 'SHOULD_TERMINATE':
      case 'TERMINATING':
      case 'TERMINATED':
        return;
      case 'ACTIVE': {
        tell('Ready');
        const idle = await quickDatabaseWork.retireIdle(instanceId);
        if (idle.type === 'retired') return;
        await hintOr(idle.inSeconds);
        break;
      }
      default:
        tell('Waiting until the instance is ready');
        if (readySecondsLeft <= 0) await quickDatabaseWork.giveUpStarting(instanceId);
        else await hintOr(Math.min(LOOK_AGAIN_SECONDS, readySecondsLeft));
    }
  }
}
