import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { judgeEnd } from '../../domain/instance/life.js';
import { Pod } from '../../domain/instance/pod.wire.js';
import type { ObservedInstance } from '../model-host.js';
import { readSeenPod } from './watch-pods.js';

const MODEL_PORT = 80;
const metadata = {
  name: 'model-1',
  namespace: 'eos-models',
  uid: 'uid-1',
  resourceVersion: '42',
  creationTimestamp: '2026-11-21T08:00:00Z',
  labels: { 'ersilia.instanceid': '1', 'ersilia.modelid': 'eos4e40' },
};
const at = '2026-11-21T08:00:05Z';

function observe(status: object, over: object = {}): ObservedInstance {
  const spec = { nodeName: 'node-1', containers: [{ name: 'model', ports: [{ containerPort: 8080 }] }] };
  const seen = readSeenPod({ metadata: { ...metadata, ...over }, spec, status }, MODEL_PORT);
  if (!seen) throw new Error('the pod was passed over');
  return seen.instance;
}

const container = (state: object) => ({ containerStatuses: [{ name: 'model', restartCount: 0, state }] });
const waiting = (reason: string) => ({
  phase: 'Pending',
  ...container({ waiting: { reason, message: `because ${reason}` } }),
});
const ended = (exitCode: number, reason: string) =>
  container({ terminated: { exitCode, reason, finishedAt: at } });
const condition = (type: string, status: string, reason: string) => ({
  conditions: [{ type, status, reason, message: `the message of ${reason}`, lastTransitionTime: at }],
});

describe('a pod as the hub sees it', () => {
  it('is ready since its condition says so, at its own port', () => {
    const seen = observe({ phase: 'Running', podIP: '10.1.2.3', ...condition('Ready', 'True', '') });
    expect(seen).toMatchObject({ ready: true, readyAt: at, address: '10.1.2.3:8080', node: 'node-1' });
    expect(seen).toMatchObject({ instanceId: '1', modelId: 'eos4e40', resourceVersion: 42, waiting: null });
  });

  it('has an address that can be called also where pods have long ones', () => {
    expect(observe({ phase: 'Running', podIP: 'fd00::7' }).address).toBe('[fd00::7]:8080');
  });

  it('waits for a node with the words of the scheduler', () => {
    const seen = observe({ phase: 'Pending', ...condition('PodScheduled', 'False', 'Unschedulable') });
    expect(seen.waiting).toEqual({ reason: 'Unschedulable', message: 'the message of Unschedulable' });
  });

  it.each([
    'ErrImagePull',
    'ImagePullBackOff',
    'InvalidImageName',
    'CreateContainerConfigError',
    'CrashLoopBackOff',
  ])('waits with %s and its message', (reason) =>
    expect(observe(waiting(reason)).waiting).toEqual({ reason, message: `because ${reason}` }),
  );

  it('does not count being made as waiting', () => {
    expect(observe(waiting('ContainerCreating')).waiting).toBeNull();
  });

  it.each([
    ['an exit', { phase: 'Failed', ...ended(3, 'Error') }, 'Error', 3],
    ['a good end', { phase: 'Succeeded', ...ended(0, 'Completed') }, 'Completed', 0],
    ['its memory limit', { phase: 'Failed', ...ended(137, 'OOMKilled') }, 'OOMKilled', 137],
    ['eviction', { phase: 'Failed', reason: 'Evicted', ...ended(137, 'Error') }, 'Evicted', 137],
    ['a deadline', { phase: 'Failed', reason: 'DeadlineExceeded' }, 'DeadlineExceeded', null],
    ['a node that shut down', { phase: 'Failed', reason: 'NodeShutdown' }, 'NodeLost', null],
    ['a node that fell silent', { phase: 'Unknown', reason: 'NodeLost' }, 'NodeLost', null],
    ['a phase nobody knows', { phase: 'Unknown' }, 'NodeLost', null],
  ])('names the end by %s', (_, status, reason, exitCode) => {
    expect(observe(status).lastTermination).toMatchObject({ reason, exitCode });
  });

  it.each([
    ['PreemptionByScheduler', 'Preempted'],
    ['DeletionByTaintManager', 'NodeLost'],
    ['DeletionByPodGC', 'NodeLost'],
    ['EvictionByEvictionAPI', 'Evicted'],
    ['TerminationByKubelet', 'Evicted'],
    ['SomethingNew', 'Disrupted'],
  ])('is taken away by %s as %s, already while it ends', (told, reason) => {
    const status = { phase: 'Running', ...condition('DisruptionTarget', 'True', told) };
    const seen = observe(status, { deletionTimestamp: at });
    expect(seen).toMatchObject({ terminating: true, lastTermination: { reason } });
  });

  it.each([
    [
      'would not take it in',
      { phase: 'Failed', reason: 'OutOfcpu', message: 'Not enough CPU' },
      /OutOfcpu: Not/,
    ],
    ['was restarted', { phase: 'Failed', ...ended(255, 'Unknown') }, /its node is gone/],
    ['lost it from sight', { phase: 'Failed', ...ended(137, 'ContainerStatusUnknown') }, /its node is gone/],
    [
      'was drained in a new way',
      { phase: 'Failed', ...condition('DisruptionTarget', 'True', 'New') },
      /of New/,
    ],
  ])('is lost, and not failed, where its node %s', (_, status, message) => {
    expect(judgeEnd(observe(status))).toEqual({ reason: 'LOST', message: expect.stringMatching(message) });
  });

  it('was out of memory also where it was evicted for it: that says what to do next time', () => {
    const status = { phase: 'Failed', reason: 'Evicted', ...ended(137, 'OOMKilled') };
    expect(observe(status).lastTermination?.reason).toBe('OOMKilled');
  });

  it('tells the end before a restart, with the signal by name', () => {
    const lastState = { terminated: { exitCode: 143, signal: 15, reason: 'Error', finishedAt: at } };
    const server = { name: 'model', restartCount: 2, state: {}, lastState };
    const status = { phase: 'Running', containerStatuses: [server] };
    expect(observe(status)).toMatchObject({ restartCount: 2, lastTermination: { signal: 'SIGTERM' } });
  });

  describe('with a container beside its server', () => {
    const running = { running: { startedAt: at } };
    const terminated = (exitCode: number, reason: string) => ({
      terminated: { exitCode, reason, finishedAt: at },
    });
    const beside = (server: object, other: object, more: object = {}) => ({
      phase: 'Running',
      // The cluster tells them in the order of their names.
      containerStatuses: [
        { name: 'log-shipper', restartCount: 3, ready: true, ...other },
        { name: 'model', restartCount: 0, ready: false, ...server },
      ],
      ...more,
    });

    it.each([
      ['killed for its memory', terminated(137, 'OOMKilled'), 'Failed', 'OOMKILLED'],
      ['crashed', terminated(3, 'Error'), 'Failed', 'FAILED'],
      ['ended', terminated(0, 'Completed'), 'Succeeded', 'FAILED'],
    ])('is over when its server was %s, though the pod goes on', (_, state, phase, reason) => {
      const seen = observe(beside({ state }, { state: running }));
      expect(seen).toMatchObject({ phase, lastTermination: state.terminated });
      expect(seen.pod.state).toMatchObject({ phase: 'Running', ready: false });
      expect(seen.pod.state.last_terminated_state).toMatchObject({ reason: state.terminated.reason });
      expect(judgeEnd(seen)?.reason).toBe(reason);
    });

    it('goes on when it is the other one that ended or was restarted', () => {
      const other = { state: terminated(137, 'OOMKilled'), lastState: terminated(1, 'Error') };
      const seen = observe(beside({ state: running, ready: true }, other));
      expect(seen).toMatchObject({ phase: 'Running', restartCount: 0, lastTermination: null });
      expect(judgeEnd(seen)).toBeNull();
    });

    it('is not out of memory because the other one was', () => {
      const seen = observe(
        beside(
          { state: terminated(3, 'Error') },
          { state: terminated(137, 'OOMKilled') },
          { phase: 'Failed' },
        ),
      );
      expect(judgeEnd(seen)).toEqual({
        reason: 'FAILED',
        message: 'its server ended (Error, exit code 3)',
      });
    });

    it('never ran when what prepares it failed', () => {
      const initContainerStatuses = [
        { name: 'fetch', state: terminated(0, 'Completed') },
        { name: 'unpack', state: terminated(1, 'Error') },
      ];
      const seen = observe({ phase: 'Failed', initContainerStatuses });
      expect(seen.lastTermination).toMatchObject({ reason: 'Error', exitCode: 1 });
    });

    it('has the port and the sizes of its server', () => {
      const containers = [
        { name: 'log-shipper', ports: [{ containerPort: 9 }], resources: { limits: { cpu: '1' } } },
        { name: 'model', ports: [{ containerPort: 8080 }], resources: { limits: { cpu: '2' } } },
      ];
      const status = { phase: 'Running', podIP: '10.1.2.3' };
      const seen = readSeenPod({ metadata, spec: { containers }, status }, MODEL_PORT)!.instance;
      expect(seen).toMatchObject({ address: '10.1.2.3:8080', pod: { resources: { cpu_limit: 2000 } } });
    });
  });

  it('X-W15: observes every pod that has a name and a uid, whatever else can not be read', () => {
    const anything = fc.object({ maxDepth: 3 });
    const oddStatus = fc.record(
      {
        phase: fc.anything(),
        conditions: fc.oneof(fc.anything(), fc.array(anything)),
        containerStatuses: fc.oneof(fc.anything(), fc.array(anything)),
        podIP: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const oddPod = fc.record({
      labels: fc.anything(),
      spec: fc.anything(),
      status: fc.oneof(fc.anything(), oddStatus),
    });
    fc.assert(
      fc.property(oddPod, ({ labels, spec, status }) => {
        const seen = readSeenPod(
          { metadata: { name: 'model-1', uid: 'uid-1', labels }, spec, status },
          MODEL_PORT,
        );
        expect(seen).toMatchObject({ name: 'model-1', uid: 'uid-1', instance: { uid: 'uid-1' } });
        expect(Pod.safeParse(seen?.instance.pod).success).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
