import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PodList, toCamelCase } from './camel-case.js';
import type { Pod } from './pod.wire.js';

const times = { running: '2026-01-01T00:00:00Z', terminated: null, waiting: null };
const pod: Pod = {
  name: 'eos1abc-x7k2p',
  namespace: 'models',
  state: {
    phase: 'Running',
    started: true,
    ready: true,
    restart_count: 1,
    state_times: times,
    last_state_times: times,
    last_terminated_state: {
      exit_code: 137,
      finished_at: null,
      message: null,
      reason: 'OOMKilled',
      signal: 9,
      started_at: null,
    },
  },
  ip: null,
  labels: { my_label: 'a_b' },
  annotations: { 'hub/some_key': 'v' },
  pod_state: {
    conditions: [
      {
        last_probe_time: null,
        last_transition_time: null,
        message: null,
        reason: null,
        status: 'True',
        type: 'PodScheduled',
      },
    ],
    message: null,
    reason: null,
    start_time: null,
  },
  node_name: 'node-1',
  resources: { cpu_request: 10, cpu_limit: 500, memory_request: 100, memory_limit: 3500 },
};

describe('pods in camelCase', () => {
  it('have every field under its other name, and the keys of users as they are', () => {
    const camel = toCamelCase(pod);
    expect(camel).toMatchObject({
      nodeName: 'node-1',
      labels: { my_label: 'a_b' },
      annotations: { 'hub/some_key': 'v' },
      state: { restartCount: 1, lastTerminatedState: { exitCode: 137 } },
      podState: { conditions: [{ lastProbeTime: null }] },
      resources: { cpuRequest: 10 },
    });
    expect(PodList.parse({ items: [camel] })).toEqual({ items: [camel] });
    expect(PodList.safeParse({ items: [pod] }).success).toBe(false);
  });

  it('change no value, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const values = (given: unknown): unknown[] =>
          typeof given === 'object' && given !== null ? Object.values(given).flatMap(values) : [given];
        const keys = (given: unknown): boolean =>
          typeof given !== 'object' ||
          given === null ||
          (Object.keys(given).every((key) => !key.includes('_')) && Object.values(given).every(keys));
        if (keys(value)) expect(values(toCamelCase(value))).toEqual(values(value));
      }),
    );
  });
});
