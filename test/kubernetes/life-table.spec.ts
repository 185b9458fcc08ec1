import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { readHubId } from '../../db/queries/hub-identity.js';
import { ownLabels } from '../../hosts/kubernetes/hub-labels.js';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import type { MadeModel } from '../factories/make-model.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { sendSignal } from '../../hosts/local/proc-files.js';
import { describeWith } from '../support/require-part.js';
import { mergePatch } from './control-plane/api-client.js';
import { podPath } from './control-plane/cluster.js';
import { type LifeRow, LifeStage } from './life-stage.js';
import { losses, startings, templates } from './life-stories.js';

// A story has several steps, and each may take as long as it is waited for.
jest.setTimeout(120_000);

/** A text for every story's rows, and one for its bystander's; a molecule each. */
let texts = 0;
const nextText = () => 'C'.repeat((texts += 1));

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
  });

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

  it('frees the place of one whose log can not be read, and says so; an evicted one has none', async () => {
    const lost = async (title: string) => {
      const { instances } = await storyOf<LossStory>(title);
      const told = await stage.database.rows<{ what: string; because: string }>(
        `select l.* from instance_event e, jsonb_to_recordset(e.details -> 'lost') as l (what text, because text)
          where e.instance_id = $1 and e.type = 'INSTANCE_EVIDENCE_LOST' and l.what = 'log'`,
        [instances[0]!.id],
      );
      return told.map(({ because }) => because);
    };
    expect(await lost('crashed on a node that gives out no logs any more')).toEqual([
      expect.stringContaining('the node does not answer'),
    ]);
    expect(await lost('was evicted by its node')).toEqual([]);
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
  });
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
