import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ExtendedInstance, InstanceList } from '../domain/instance/instance.wire.js';
import { repositoryRoot } from '../local/repository.js';
import type { ControlPlaneUser } from '../test/kubernetes/control-plane/access.js';
import { HubClient } from '../test/support/hub-client.js';
import { checkOwners } from './check-owners.js';
import { checkQuietAndStop } from './check-quiet.js';
import { checkRequests } from './check-requests.js';
import { clusterModels, clusterWarmSeconds, learnExpectations } from './cluster-load.js';
import { type ClusterHub, startClusterHub } from './cluster-hub.js';
import { knownMolecules } from './known-values.js';
import type { Proof, ProofContext } from './proof.js';
import { molecules, unlikePublished } from './reference.js';
import { runSpecs } from './run-specs.js';
import { type AcceptedRequest, chains, type Submission, submitOne } from './steady-load.js';

const finishWithinMs = 60_000;

/** What `npm test` runs on a control plane besides: the contract of hosts, and each row of the life table. */
const specFolders = ['test/hosts/kubernetes', 'test/kubernetes'];

/** Molecules go in over HTTP and come back with their results, computed by pods. */
export const clusterMainJob: Proof = {
  name: 'kubernetes-1',
  title:
    'the main job with instances as pods of a real control plane, the contract of hosts and the life table',
  async run(context) {
    await runMainJob(context, 'hub', {});
    if (context.small) return;
    context.say('once more, through the API server', 'as from a machine that does not reach pods');
    await runMainJob(context, 'admin', { MODEL_SERVER_ACCESS: 'port-forward' });
    await checkSpecs(context);
  },
};

async function runMainJob(
  context: ProofContext,
  user: ControlPlaneUser,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const options = { models: clusterModels, warmSeconds: clusterWarmSeconds, user, environment };
  const hub = await startClusterHub(options);
  try {
    await doMainJob(hub, context, await HubClient.asGuest(hub.stack.url));
    await checkOwners(hub, context);
    await checkQuietAndStop(hub, context);
  } finally {
    await hub.stop();
  }
}

async function checkSpecs({ claim }: ProofContext): Promise<void> {
  const { testResults } = await runSpecs(specFolders);
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.filter(({ status }) => status !== 'passed').map(({ title }) => title);
    const isGood = assertionResults.length > 0 && failed.length === 0;
    claim(`${basename(name)} passes`, isGood, failed.join('; ') || `${assertionResults.length} tests`);
  }
  claim('the specs of the control plane ran', testResults.length > 0, `${testResults.length} files`);
}

/**
 * Sends a file, requests of one and of several shards, by calls and by jobs, and one that is cancelled.
 * @param reader a guest's client of the same session, at the same api process or at another
 */
export async function doMainJob(
  hub: ClusterHub,
  context: ProofContext,
  client: HubClient,
  reader: HubClient = client,
): Promise<void> {
  const { claim } = context;
  const expectations = await learnExpectations(client);
  const unlike = unlikePublished(expectations['eos-physchem']!);
  claim('the pods give the published values', unlike.length === 0, unlike.join(' '));
  await sendFile(context, client);
  const accepted: AcceptedRequest[] = [];
  for (const submission of submissions()) accepted.push(await submitOne(client, submission));
  for (const { id } of accepted) await reader.untilFinished(id, finishWithinMs, 50);
  await checkRequests(hub, reader, accepted, expectations, context);
  await checkInstance(hub, context, accepted[0]!.id);
  await cancelOne(hub, context, client);
}

function submissions(): readonly Submission[] {
  return [
    { modelId: 'good-counter', entries: chains(3000) },
    { modelId: 'good-async', entries: chains(200) },
    { modelId: 'slow-starter', entries: chains(20) },
    { modelId: 'eos-physchem', entries: ['not a molecule', ...molecules] },
  ];
}

async function sendFile({ claim }: ProofContext, client: HubClient): Promise<void> {
  const file = readFileSync(join(repositoryRoot(), 'examples', 'five-molecules.csv'), 'utf8');
  const { id } = await client.submitBody('eos-physchem', file);
  await client.untilFinished(id, finishWithinMs, 50);
  const rows = await client.csvRows(id);
  const wrong = knownMolecules.filter(
    ({ key, name, smiles }, index) => !rows[index]?.startsWith(`${key},${smiles},${name},`),
  );
  claim('a file comes back with its rows in order, each with its key and name', wrong.length === 0);
  claim(
    'each row of the file is ok',
    rows.every((row) => row.endsWith(',ok')),
    `${rows.length} rows`,
  );
}

/** What an operator sees of the pod that worked for a request. */
async function checkInstance(hub: ClusterHub, { claim }: ProofContext, requestId: number): Promise<void> {
  const { url, adminPassword } = hub.stack;
  const admin = await HubClient.asUser(url, 'admin', adminPassword ?? '');
  const read = async (path: string) => (await admin.fetch(path)).json();
  const readInstances = async () => {
    const list = (await read(`/api/instances?work_request_id=${requestId}`)) as InstanceList;
    return list.items.map(({ model_instance }) => model_instance);
  };
  let instances = await readInstances();
  // One that came too late to help is ready in the end, too.
  await within(finishWithinMs, async () => {
    instances = await readInstances();
    return instances.every(isOfCluster) || undefined;
  });
  const pods = instances.flatMap(({ instance_details }) => instance_details ?? []);
  const known = new Set(hub.pods.all.map(({ name }) => name));
  claim(
    'its instances are shown with their pods and nodes',
    pods.length > 0 &&
      pods.length === instances.length &&
      pods.every(({ name, node_name }) => known.has(name) && node_name !== null),
    pods.map(({ name, node_name }) => `${name} on ${node_name}`).join(', '),
  );
  claim('they were kubernetes’', instances.every(isOfCluster), instances.map(({ host }) => host).join(' '));
  const ofRequest = `model_id=${instances[0]?.model_id}&work_request_id=${requestId}`;
  const { logs } = (await read(`/api/instances/job-logs?${ofRequest}`)) as { logs?: string[] };
  claim('the log of its pods can be read', logs?.some(isGreeting) === true, logs?.[0]);
}

/** What a test model prints first. */
const isGreeting = (line: string) => line.includes(' listens on ');

const isOfCluster = ({ host, timings }: ExtendedInstance['model_instance']) =>
  host === 'kubernetes' && timings.ready_at !== null && timings.scheduled_at !== null;

/** A model server can't be told to stop: the pod that works for a cancelled request goes. */
async function cancelOne(hub: ClusterHub, { claim }: ProofContext, client: HubClient): Promise<void> {
  const { id } = await client.submitEntries('good-async', chains(6000), false);
  const working = async () => {
    const rows = await hub.rows<{ uid: string }>(
      `select i.uid from instance_lease l join model_instance i on i.id = l.instance_id
        where l.request_id = $1 and i.state = 'ACTIVE' and l.shards = 0 and i.uid is not null`,
      [id],
    );
    return rows[0]?.uid;
  };
  const uid = await within(finishWithinMs, working);
  await client.cancel(id);
  const { request_status } = await client.untilFinished(id, finishWithinMs, 50);
  claim(
    'a request that is cancelled while its pod works ends so',
    request_status === 'CANCELLED',
    request_status,
  );
  const gone = await within(finishWithinMs, async () =>
    hub.pods.all.find((pod) => pod.uid === uid && pod.goneAtMs !== null),
  );
  claim('and its pod goes', gone !== undefined, gone?.name);
}

/** Asks until there is an answer, or the time is over. */
async function within<Found>(ms: number, look: () => Promise<Found | undefined>): Promise<Found | undefined> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
