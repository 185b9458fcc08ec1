import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readHubId } from '../../db/queries/hub-identity.js';
import { ownLabels } from '../../hosts/kubernetes/hub-labels.js';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import type { MadeModel } from '../factories/make-model.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { sendSignal } from '../../hosts/local/proc-files.js';
import { describeWith } from '../support/require-part.js';
import { ApiError, mergePatch } from './control-plane/api-client.js';
import { podPath } from './control-plane/cluster.js';
import { type LifeRow, LifeStage, type Template } from './life-stage.js';

/** A text for every story's rows, and one for its bystander's; a molecule each. */
let texts = 0;
const nextText = () => 'C'.repeat((texts += 1));

const templates: Readonly<Record<string, Template>> = {
  plain: {},
  'image-pull': { annotations: { 'sim.test/fault': 'image-pull', 'sim.test/pull-delay': '100ms' } },
  'invalid-image': { annotations: { 'sim.test/fault': 'invalid-image' } },
  'never-ready': { annotations: { 'sim.test/fault': 'never-ready' } },
  'stuck-creating': { annotations: { 'sim.test/fault': 'stuck-creating' } },
  'slow-end': { annotations: { 'sim.test/stop-delay': '500ms' } },
  'node-preempted': { node: 'node-preempted' },
  'node-gone': { node: 'node-gone' },
};

/** Ways in which an instance never comes to serve. */
const startings: readonly [
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
    /no node could take it within 8 s: 0\/\d nodes are available: .*Insufficient cpu/,
  ],
  [
    'whose image can not be pulled',
    'image-pull',
    {},
    /^(ErrImagePull|ImagePullBackOff)$/,
    /its image could not be pulled for [345] s \(\w+\): .*image/i,
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
    /it was not ready within 10 s; its server never answered a health check/,
  ],
  ['whose container is never made', 'stuck-creating', {}, /^$/, /it was not ready within 10 s/],
];

/** What takes an instance away while it computes. */
const losses: readonly [
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
    ({ plane, namespace }, pod) => plane.cluster.setFault(namespace, pod, 'evict'),
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
    'M23: was replaced by another pod of its name',
    'plain',
    (stage, pod, struck) => replace(stage, pod, struck),
    'LOST',
    /^(it is gone from its host|it was removed from its host by someone else)$/,
  ],
];

/** A pod that matters more takes all the room of the node, and leaves again. */
async function preempt(stage: LifeStage, node: string, pod: string): Promise<void> {
  const { plane } = stage;
  await plane.admin.ask('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'urgent' },
    value: 1000,
  });
  const urgent = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'urgent' },
    spec: {
      priorityClassName: 'urgent',
      nodeSelector: { story: node },
      tolerations: [{ key: 'story', operator: 'Exists' }],
      containers: [{ name: 'any', image: 'any', resources: { requests: { cpu: '500m' } } }],
    },
  };
  // The server knows a new priority a moment after it was made.
  await stage.until('the priority to be known', () =>
    plane.cluster.createPod('default', urgent).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.code === 403) return undefined;
        throw error;
      },
    ),
  );
  await stage.until('the preempted pod to go', async () =>
    (await stage.podNames()).includes(pod) ? undefined : true,
  );
  await plane.cluster.deletePod('default', 'urgent', 0);
}

/** Somebody deletes the pod and makes one that looks the same. */
async function replace({ plane, namespace }: LifeStage, name: string, struck: LifeRow): Promise<void> {
  const { metadata, spec } = await plane.admin.ask<{
    metadata: { labels: object; annotations: object };
    spec: Record<string, unknown>;
  }>('GET', podPath(namespace, name));
  await plane.cluster.deletePod(namespace, name, 0);
  const { labels, annotations } = metadata;
  const copy = { ...spec, nodeName: undefined };
  const made = await plane.cluster.createPod(namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels, annotations },
    spec: copy,
  });
  expect(made.metadata.uid).not.toBe(struck.uid);
}

describeWith(
  'postgres',
  'temporal',
  'kubernetes',
)('the life of an instance in a cluster', () => {
  let stage: LifeStage;
  /** All stories are begun at once, so that their time limits run side by side. */
  const begun = new Map<string, Promise<unknown>>();
  const begin = (title: string, story: Promise<unknown>) => {
    story.catch(() => undefined);
    begun.set(title, story);
  };
  const storyOf = async <Told>(title: string) => (await begun.get(title)) as Told;

  beforeAll(async () => {
    stage = await LifeStage.open(templates);
    await Promise.all([stage.addNodeFor('node-preempted', 500), stage.addNodeFor('node-gone')]);
    begin('orphans', beginOrphans(stage));
    begin('stuck', beginStuck(stage));
    begin('unready', tellUnready(stage));
    for (const [title, template, model] of startings) begin(title, tellStarting(stage, template, model));
    for (const [title, template, harm] of losses) begin(title, tellLoss(stage, template, harm));
  }, 120_000);
  afterAll(async () => {
    await Promise.allSettled(begun.values());
    await stage?.close();
  }, 60_000);

  it.each(startings)('X-W5: gives up one %s', async (title, _, __, waitsFor, says) => {
    const { state, failure, instance, waited } = await storyOf<StartingStory>(title);
    expect(instance).toMatchObject({ state: 'TERMINATED', termination_reason: 'NEVER_READY' });
    expect(instance.termination_message).toMatch(says);
    expect(waited ?? '').toMatch(waitsFor);
    expect(state).toBe('FAILED');
    expect(failure?.message).toMatch(/^No instance of the model could be started: /);
    expect(failure?.message).toMatch(says);
    expect(await stage.podNames()).not.toContain(podNameOf(instance.id));
  });

  it.each(losses)('M21: runs a request again whose instance %s', async (title, _, __, reason, says) => {
    const { state, instances, calls } = await storyOf<LossStory>(title);
    const [struck, next] = instances as [LifeRow, LifeRow];
    expect(struck).toMatchObject({ state: 'TERMINATED', termination_reason: reason });
    expect(struck.termination_message).toMatch(says);
    // The leader may see the end before or after whoever worked on it.
    const events = await stage.eventsOf(struck);
    expect(events).toContain('INSTANCE_SHOULD_TERMINATE');
    expect(events.at(-1)).toBe('INSTANCE_TERMINATED');
    expect(state).toBe('COMPLETED');
    expect(instances).toHaveLength(2);
    expect(calls).toBe(2);
    expect(next.memory_limit_bytes).toBe((reason === 'OOMKILLED' ? 1024 : 512) * MEBIBYTE);
  });

  it('F6: what the cluster reports of an instance is kept as it came, among the hub’s own steps and by its uid', async () => {
    const { instance } = await storyOf<StartingStory>(startings[0]![0]);
    const { instances } = await storyOf<LossStory>(losses.find(([title]) => title === 'crashed')![0]);
    for (const [{ id, uid }, reason] of [
      [instance, 'FailedScheduling'],
      [instances[0]!, 'Scheduled'],
    ] as const) {
      const history = await stage.database.rows<{
        source: string;
        type: string;
        details: { raw?: { kind: string; involvedObject: { uid: string } } };
      }>(
        `select source, type, details from instance_event where instance_id = $1
           order by date_trunc('second', at), event_no`,
        [id],
      );
      const told = history.filter(({ source }) => source === 'cluster');
      expect(told.map(({ type }) => type)).toContain(reason);
      expect(new Set(told.map(({ details }) => details.raw?.involvedObject.uid))).toEqual(new Set([uid]));
      // The cluster's times are whole seconds: one may seem to lie before what came before it.
      expect(history.at(0)).toMatchObject({ source: 'hub', type: 'INSTANCE_REQUESTED' });
    }
  });

  it('gives up one that was ready and answers no health check any more, and nobody waits for it for ever', async () => {
    const { lost, ended, next, state } = await storyOf<UnreadyStory>('unready');
    expect(lost).toMatchObject({ state: 'ACTIVE', unready_since: expect.any(String) });
    expect(ended).toMatchObject({
      state: 'TERMINATED',
      termination_reason: 'FAILED',
      termination_message: 'its server was ready and then answered no health check for 3 s',
    });
    expect(state).toBe('COMPLETED');
    expect(next.id).not.toBe(ended.id);
  });

  it('removes by force one that does not end, and frees the place of one that nothing removes', async () => {
    const { forced, kept } = await storyOf<StuckStory>('stuck');
    expect(forced).toMatchObject({ state: 'TERMINATED', termination_reason: 'STOPPED' });
    expect(await stage.eventsOf(forced)).not.toContain('INSTANCE_STUCK_TERMINATING');
    expect(kept).toMatchObject({ state: 'TERMINATED', termination_reason: 'STOPPED' });
    expect(await stage.eventsOf(kept)).toContain('INSTANCE_STUCK_TERMINATING');
    const pods = await stage.podNames();
    expect(pods).not.toContain(podNameOf(forced.id));
    expect(pods).toContain(podNameOf(kept.id));
  });

  it('ends by uid what carries its labels and has no row, and touches nothing of anyone else', async () => {
    const { orphan, others } = await storyOf<OrphanStory>('orphans');
    await stage.until('the orphan to be removed', async () =>
      (await stage.podNames()).includes(orphan) ? undefined : true,
    );
    for (const { name, uid } of others) {
      const { metadata } = await stage.plane.cluster.pod(stage.namespace, name);
      expect(metadata).toMatchObject({ uid });
      expect(metadata.deletionTimestamp).toBeUndefined();
    }
  });

  it('X-W4: goes on with its work when the worker is killed, and leaves no pod behind', async () => {
    const model = await stage.addModel('plain', { warmSeconds: 1 });
    const text = nextText();
    stage.hold(text);
    const request = await stage.submit(model.id, text);
    await stage.untilCalled(text);
    sendSignal(stage.worker.pid, 'SIGKILL');
    expect(await stage.untilEnded(request)).toMatchObject({ state: 'COMPLETED' });
    const [instance, ...more] = await stage.instancesOf(request);
    expect(more).toEqual([]);
    expect(await stage.untilInstance(request, ({ state }) => state === 'TERMINATED')).toMatchObject({
      id: instance!.id,
      termination_reason: 'COMPLETED',
    });
    expect(await stage.podNames()).not.toContain(podNameOf(instance!.id));
  }, 40_000);
});

interface StartingStory {
  readonly state: string;
  readonly failure: { readonly message: string } | null;
  readonly instance: LifeRow;
  /** What it was last seen to wait for. */
  readonly waited: string | null;
}

async function tellStarting(
  stage: LifeStage,
  template: string,
  { cpuMillicores, ...over }: Partial<MadeModel> & { cpuMillicores?: number },
): Promise<StartingStory> {
  const model = await stage.addModel(template, over);
  if (cpuMillicores)
    await stage.database.rows(
      `update model set cpu_request_millicores = $2, cpu_limit_millicores = $2 where id = $1`,
      [model.id, cpuMillicores],
    );
  const request = await stage.submit(model.id, nextText());
  const ended = await stage.untilEnded(request);
  const instance = await stage.untilInstance(request, ({ state }) => state === 'TERMINATED');
  return { ...ended, instance, waited: instance.waiting_reason };
}

interface LossStory {
  readonly state: string;
  readonly instances: readonly LifeRow[];
  /** How often the model was asked for the request's row. */
  readonly calls: number;
}

/** A request's instance is taken away while it computes; beside it another request's instance of the same model computes. */
async function tellLoss(
  stage: LifeStage,
  template: string,
  harm: (stage: LifeStage, pod: string, struck: LifeRow) => Promise<unknown>,
): Promise<LossStory> {
  const model = await stage.addModel(template);
  const [text, otherText] = [nextText(), nextText()];
  const begin = async (heldText: string) => {
    stage.hold(heldText);
    const request = await stage.submit(model.id, heldText);
    await stage.untilCalled(heldText);
    return request;
  };
  const request = await begin(text);
  // Made last: the one that a search by model alone would meet. On a node of the story's own it would be struck too.
  const other = template.startsWith('node-') ? null : await begin(otherText);
  const [struck] = await stage.instancesOf(request);
  await harm(stage, podNameOf(struck!.id), struck!);
  const { state } = await stage.untilEnded(request);
  await stage.untilInstance(request, (row) => row.state === 'TERMINATED');
  if (other) await expectUnharmed(stage, other, otherText);
  const calls = stage.server.calls.filter(([first]) => first === text).length;
  return { state, instances: await stage.instancesOf(request), calls };
}

async function expectUnharmed(
  stage: LifeStage,
  other: Awaited<ReturnType<LifeStage['submit']>>,
  text: string,
): Promise<void> {
  const [instance] = await stage.instancesOf(other);
  const { metadata } = await stage.pod(instance!);
  expect(metadata).toMatchObject({ uid: instance!.uid });
  expect(metadata.deletionTimestamp).toBeUndefined();
  stage.letGo(text);
  expect(await stage.untilEnded(other)).toEqual({ state: 'COMPLETED', failure: null });
  expect(await stage.untilInstance(other, (row) => row.state === 'ACTIVE')).toMatchObject({
    id: instance!.id,
  });
  expect(await stage.instancesOf(other)).toHaveLength(1);
}

interface UnreadyStory {
  readonly lost: LifeRow;
  readonly ended: LifeRow;
  readonly next: LifeRow;
  readonly state: string;
}

/** A warm instance stops to answer; a request is lent it and gets another one in the end. */
async function tellUnready(stage: LifeStage): Promise<UnreadyStory> {
  const model = await stage.addModel('plain');
  const first = await stage.submit(model.id, nextText());
  await stage.untilEnded(first);
  const { id } = await stage.untilInstance(first, (row) => row.state === 'ACTIVE');
  const pod = podNameOf(id);
  await stage.plane.cluster.setFault(stage.namespace, pod, 'never-ready');
  const conditions = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }];
  await stage.plane.cluster.setStatus(stage.namespace, pod, { conditions });
  const lost = await stage.untilInstance(first, (row) => row.unready_since !== null);
  const second = await stage.submit(model.id, nextText());
  const { state } = await stage.untilEnded(second);
  const ended = await stage.untilInstance(first, (row) => row.state === 'TERMINATED');
  const next = (await stage.instancesOf(second)).at(-1)!;
  return { lost, ended, next, state };
}

interface StuckStory {
  readonly forced: LifeRow;
  readonly kept: LifeRow;
}

/** Two warm instances are no longer needed: the node of one never ends it, and somebody holds on to the other. */
async function beginStuck(stage: LifeStage): Promise<StuckStory> {
  const model = await stage.addModel('plain', { warmSeconds: 1 });
  const stuck = async (harm: (pod: string) => Promise<unknown>) => {
    const text = nextText();
    stage.hold(text);
    const request = await stage.submit(model.id, text);
    await stage.untilCalled(text);
    const [{ id }] = (await stage.instancesOf(request)) as [LifeRow];
    await harm(podNameOf(id));
    await stage.stop(id);
    return stage.untilInstance(request, ({ state }) => state === 'TERMINATED');
  };
  const { plane, namespace } = stage;
  const [forced, kept] = await Promise.all([
    stuck((pod) => plane.cluster.setFault(namespace, pod, 'stuck-terminating')),
    stuck((pod) =>
      plane.admin.ask(
        'PATCH',
        podPath(namespace, pod),
        { metadata: { finalizers: ['example.com/kept'] } },
        mergePatch,
      ),
    ),
  ]);
  return { forced, kept };
}

interface OrphanStory {
  /** Name of the pod that has this hub's labels and no row. */
  readonly orphan: string;
  readonly others: readonly { readonly name: string; readonly uid: string }[];
}

async function beginOrphans({ plane, namespace, database }: LifeStage): Promise<OrphanStory> {
  const own = ownLabels({ name: 'model-hub', id: await readHubId(database) });
  const make = async (name: string, labels: Readonly<Record<string, string>>) => {
    const security = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    };
    const { metadata } = await plane.cluster.createPod(namespace, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels },
      spec: { containers: [{ name: 'model', image: 'any', securityContext: security }] },
    });
    return { name, uid: metadata.uid };
  };
  const orphan = await make('model-orphan', {
    ...own,
    'ersilia.instanceid': 'orphan',
    'ersilia.modelid': 'eos-lost',
  });
  const others = [
    await make('of-another-hub', { ...own, 'ersilia.hub': 'other-hub', 'ersilia.instanceid': 'orphan' }),
    await make('of-another-database', {
      ...own,
      'ersilia.hub-id': 'other-id',
      'ersilia.instanceid': 'orphan',
    }),
    await make('of-the-same-model', { 'ersilia.modelid': 'eos-lost' }),
    await make('model-of-nobody', {}),
  ];
  return { orphan: orphan.name, others };
}
