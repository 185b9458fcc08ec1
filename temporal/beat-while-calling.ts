import type { ActivityInterceptorsFactory } from '@temporalio/worker';

const beatsPerTimeout = 4;
/** What may take longer beats by itself, to show that it still gets on. */
const shortCallMs = 60_000;

/**
 * Lets a short activity that has a heartbeat timeout beat for as long as it runs. A worker that was killed in the middle
 * of it is then noticed within that time; else the work would lie until the activity's own time limit is over.
 */
export const beatWhileCalling: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      const { heartbeatTimeoutMs, startToCloseTimeoutMs } = context.info;
      if (heartbeatTimeoutMs === undefined || startToCloseTimeoutMs > shortCallMs) return next(input);
      const beating = setInterval(() => context.heartbeat(), heartbeatTimeoutMs / beatsPerTimeout);
      try {
        return await next(input);
      } finally {
        clearInterval(beating);
      }
    },
  },
});
