/** What happens to instances in the table of `life-table.spec.ts`, and what is expected of each. */
import type { MadeModel } from '../factories/make-model.js';
import { killServerAlone, preempt, replace } from './life-harms.js';
import type { LifeRow, LifeStage, Template } from './life-stage.js';

/** Templates of the namespace by version; each story's model asks for one. */
export const templates: Readonly<Record<string, Template>> = {
  plain: {},
  'image-pull': { annotations: { 'sim.test/fault': 'image-pull', 'sim.test/pull-delay': '100ms' } },
  'invalid-image': { annotations: { 'sim.test/fault': 'invalid-image' } },
  'never-ready': { annotations: { 'sim.test/fault': 'never-ready' } },
  'stuck-creating': { annotations: { 'sim.test/fault': 'stuck-creating' } },
  'slow-end': { annotations: { 'sim.test/stop-delay': '500ms' } },
  'node-preempted': { node: 'node-preempted' },
  'node-gone': { node: 'node-gone' },
  'two-containers': { beside: true },
};

/** Ways in which an instance never comes to serve. */
export const startings: readonly [
  title: string,
  template: string,
  model: Partial<MadeModel> & { cpuMillicores?: number },
  waitsFor: RegExp,
  says: RegExp,
][] = [
  [
    'that no node has room for, with the reason of the scheduler',
    'plain',
    { cpuMillicores: 100_000 },
    /^Unschedulable$/,
    /no node could take it within 30 s: 0\/\d nodes are available: .*Insufficient cpu/,
  ],
  [
    'whose image can not be pulled',
    'image-pull',
    {},
    /^(ErrImagePull|ImagePullBackOff)$/,
    /its image could not be pulled for ([3-9]|[12]\d) s \(\w+\): .*image/i,
  ],
  [
    'whose image has no valid name, at once',
    'invalid-image',
    {},
    /^InvalidImageName$/,
    /the name of its image is not valid: .*couldn't parse image name; correct the image/,
  ],
  [
    'whose server never answers',
    'never-ready',
    {},
    /^$/,
    /it was not ready within 20 s; its server never answered a health check/,
  ],
  ['whose container is never made', 'stuck-creating', {}, /^$/, /it was not ready within 20 s/],
];

/** What takes an instance away while it computes. */
export const losses: readonly [
  title: string,
  template: string,
  harm: (stage: LifeStage, pod: string, struck: LifeRow) => Promise<unknown>,
  reason: string,
  says: RegExp,
][] = [
  [
    'X-W2: was deleted from outside',
    'slow-end',
    ({ plane, namespace }, pod) => plane.cluster.deletePod(namespace, pod),
    'LOST',
    /^it was removed from its host by someone else$/,
  ],
  [
    'was evicted by its node',
    'plain',
    async ({ plane, namespace }, pod) => {
      plane.kubelet.refuseLog(namespace, pod, 400, `container "model" in pod "${pod}" is not available`);
      await plane.cluster.setFault(namespace, pod, 'evict');
    },
    'LOST',
    /^its node gave it up \(Evicted\): The node was low on resource: memory/,
  ],
  [
    'was evicted by whoever drains its node',
    'slow-end',
    ({ plane, namespace }, pod) => plane.cluster.evictPod(namespace, pod),
    'LOST',
    /^its node gave it up \(Evicted\)/,
  ],
  [
    'was preempted by a pod of a higher priority',
    'node-preempted',
    (stage, pod) => preempt(stage, 'node-preempted', pod),
    'LOST',
    /^its place was taken by a pod of a higher priority \(Preempted\)/,
  ],
  [
    'is gone with its node',
    'node-gone',
    async (stage) => {
      await stage.plane.cluster.removeNode('node-gone');
      await stage.addNodeFor('node-gone');
    },
    'LOST',
    /^its node is gone or does not answer \(NodeLost\): PodGC: node no longer exists/,
  ],
  [
    'crashed',
    'plain',
    ({ plane, namespace }, pod) => plane.cluster.setFault(namespace, pod, 'crash', { 'exit-code': '3' }),
    'FAILED',
    /^its server ended \(Error, exit code 3\)/,
  ],
  [
    'crashed on a node that gives out no logs any more',
    'plain',
    async ({ plane, namespace }, pod) => {
      plane.kubelet.refuseLog(namespace, pod, 500, 'the node does not answer');
      await plane.cluster.setFault(namespace, pod, 'crash', { 'exit-code': '3' });
    },
    'FAILED',
    /^its server ended \(Error, exit code 3\)/,
  ],
  [
    'ended of itself as if all were done',
    'plain',
    ({ plane, namespace }, pod) => plane.cluster.setFault(namespace, pod, 'crash', { 'exit-code': '0' }),
    'FAILED',
    /^its server ended \(Completed, exit code 0\)/,
  ],
  [
    'was killed for its memory',
    'plain',
    ({ plane, namespace }, pod) => plane.cluster.setFault(namespace, pod, 'oom'),
    'OOMKILLED',
    /^its server ended \(OOMKilled, exit code 137\)/,
  ],
  [
    'was killed for its memory beside a container that goes on',
    'two-containers',
    (stage, pod) => killServerAlone(stage, pod),
    'OOMKILLED',
    /^its server ended \(OOMKilled, exit code 137\)/,
  ],
  [
    'M23: was replaced by another pod of its name',
    'plain',
    (stage, pod, struck) => replace(stage, pod, struck),
    'LOST',
    /^(it is gone from its host|it was removed from its host by someone else)$/,
  ],
];
