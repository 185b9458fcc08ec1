import { continueAsNew, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ObserveUsageEffects } from '../activities/observe-usage.effects.js';

const longWatch = proxyActivities<ObserveUsageEffects>({
  startToCloseTimeout: '2h',
  // A dead worker is missed after this long: less than the time between two samples.
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '15s' },
});

/** For ever: one long activity samples usage, then the story begins anew so that its history stays short. */
export async function observeUsage(): Promise<void> {
  setCurrentDetails('Sampling CPU and memory of instances and nodes every 15 s');
  await longWatch.observeUsage();
  await continueAsNew<typeof observeUsage>();
}
