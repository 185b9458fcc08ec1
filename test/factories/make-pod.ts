import type { Pod } from '../../domain/instance/pod.wire.js';

/** A pod that was just created; what a story does not care about has an ordinary value. */
export function makePod(name: string, over: Partial<Pod> = {}): Pod {
  const times = { running: null, terminated: null, waiting: null };
  return {
    name,
    namespace: 'models',
    state: {
      phase: 'Pending',
      started: false,
      ready: false,
      restart_count: 0,
      state_times: times,
      last_state_times: times,
      last_terminated_state: null,
    },
    ip: null,
    labels: {},
    annotations: {},
    pod_state: { conditions: [], message: null, reason: null, start_time: null },
    node_name: null,
    resources: null,
    ...over,
  };
}
