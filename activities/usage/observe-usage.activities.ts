import { performance } from 'node:perf_hooks';
import { Context } from '@temporalio/activity';
import type { HostUsage } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { ObserveUsageEffects } from '../observe-usage.effects.js';
import { readUsageTogether } from './read-usage-together.js';
import { recordNodeUsage } from './record-node-usage.js';
import { recordUsage } from './record-usage.js';
import { toReading } from './to-reading.js';

/** The one thing that is read by the clock: no host tells usage by itself. */
const PASS_EVERY_MS = 15_000;
/** After this long the workflow begins anew, so that its history stays short. */
const TURN_MS = 3_600_000;
const HEARTBEAT_MS = 1_000;

/** One of all workers does this at a time; two for a moment do no harm, as every sample counts once. */
export function createObserveUsage(deps: ActivityDependencies): ObserveUsageEffects {
  return {
    async observeUsage() {
      const context = Context.current();
      const beating = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
      try {
        const endMs = performance.now() + TURN_MS;
        for (let nextMs = performance.now(); nextMs < endMs;) {
          await observeOrWarn(deps);
          // A pass that was late or took too long is not made up for by hurrying the next ones.
          nextMs = Math.max(nextMs + PASS_EVERY_MS, performance.now());
          await context.sleep(nextMs - performance.now());
        }
      } finally {
        clearInterval(beating);
      }
    },
  };
}

async function observeOrWarn(deps: ActivityDependencies): Promise<void> {
  try {
    const { unmeasured } = await observeOnce(deps);
    if (unmeasured !== null) deps.log.warn('no instance is measured', { error: unmeasured });
  } catch (error) {
    deps.log.warn('usage could not be read or written; the next pass tries again', {
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

type ObserverDependencies = Pick<ActivityDependencies, 'database' | 'host' | 'instances'>;

/**
 * One pass: one question to the host, one transaction, whatever the number of instances.
 * @returns what the host told
 */
export async function observeOnce(deps: ObserverDependencies): Promise<HostUsage> {
  const usage = await readUsageTogether(deps.host);
  await deps.database.transaction(async (sql) => {
    await recordNodeUsage(sql, usage);
    await recordUsage(
      sql,
      usage.instances.map((measured) => toReading(deps, measured)),
    );
  });
  return usage;
}
