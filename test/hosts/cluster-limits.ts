import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownLabels } from '../../hosts/kubernetes/hub-labels.js';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import {
  InstanceRefusedError,
  type InstanceSpec,
  type ModelHost,
  NoRoomError,
} from '../../hosts/model-host.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import type { ControlPlane } from '../kubernetes/control-plane/control-plane.js';
import { kubernetesSpec, openKubernetesHost, testHubId } from '../support/kubernetes-host.js';
import { waitUntil } from '../support/wait-until.js';
import { recordWatch } from './record-watch.js';

const pageSize = 500;
const pace = { withinMs: 10_000, everyMs: 50 };
const server = { name: 'server', image: 'placeholder' };

function undefinedWhereNoRoom(error: unknown): undefined {
  if (!(error instanceof NoRoomError)) throw error;
}

/** What a cluster asks of a hub, and where it says no. @param parts a plane with a node and metrics */
export function describeLimits(parts: () => ControlPlane): void {
  describe('what a cluster asks of a hub, and where it says no', () => {
    let plane: ControlPlane;
    let namespace: string;
    let host: ModelHost;
    let warnings: string[];

    beforeEach(async () => {
      plane = parts();
      warnings = [];
      namespace = await plane.cluster.createNamespace();
      host = openKubernetesHost(
        await plane.kubeconfig('hub'),
        namespace,
        {},
        {
          warn: (text) => warnings.push(text),
        },
      );
    });
    afterEach(() => host.close());

    /** Allows the namespace so many pods; who counts them in a cluster is not there, so what is used is said too. */
    async function limitPods(pods: number): Promise<void> {
      const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
      const hard = { pods: String(pods) };
      await plane.admin.ask('POST', path, { metadata: { name: 'few' }, spec: { hard } });
      await plane.admin.ask('PATCH', `${path}/few/status`, { status: { hard, used: { pods: '0' } } }, merge);
    }
    const merge = 'application/merge-patch+json';

    it('waits for a quota as for a node: an instance that it forbids now may be created later', async () => {
      await limitPods(1);
      // The API server itself hears of a quota, and of its end, a moment later: until then it lets pods in uncounted.
      const createdOrNot = (spec: InstanceSpec) => host.createInstance(spec).catch(undefinedWhereNoRoom);
      const oneMore = async (spec = kubernetesSpec()) => ((await createdOrNot(spec)) ? undefined : spec);
      const spec = await waitUntil('the quota to be full', () => oneMore(), pace);
      const refused = host.createInstance(spec);
      await expect(refused).rejects.toThrow(NoRoomError);
      await expect(refused).rejects.toThrow(
        /exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1/,
      );
      await plane.admin.ask('DELETE', `/api/v1/namespaces/${namespace}/resourcequotas/few`);
      const created = await waitUntil('room for the instance', () => createdOrNot(spec), pace);
      expect(created).toMatchObject({ instanceId: spec.instanceId });
    });

    it('does not wait for what a policy will never let in', async () => {
      await createTemplate('exposed', {
        containers: [server],
        volumes: [{ name: 'disk', hostPath: { path: '/' } }],
      });
      const denied = host.createInstance(kubernetesSpec({ templateVersion: 'exposed' }));
      await expect(denied).rejects.toThrow(InstanceRefusedError);
      await expect(denied).rejects.toThrow(/violates PodSecurity "restricted:latest": .*hostPath/);
    });

    /** Without a version it is a template that says nowhere for whom it is. */
    async function createTemplate(version: string | null, spec: object): Promise<void> {
      const labels = {
        'app.kubernetes.io/component': 'model-template',
        ...(version === null ? {} : { 'ersilia.modeltemplate.version': version }),
      };
      const metadata = { name: `template-${version ?? 'without-version'}`, labels };
      const path = `/api/v1/namespaces/${namespace}/podtemplates`;
      await plane.admin.ask('POST', path, { metadata, template: { spec } });
    }

    it('takes the pod template of the version that a model asks for, and the built-in one for others', async () => {
      await createTemplate('2.0.0', { containers: [{ ...server, env: [{ name: 'THREADS', value: '3' }] }] });
      const given = kubernetesSpec({ templateVersion: '2.0.0' });
      const usual = kubernetesSpec({ templateVersion: '1.0.0' });
      for (const spec of [given, usual]) await host.createInstance(spec);
      const containerOf = async ({ instanceId }: typeof given) =>
        (await plane.cluster.pod(namespace, podNameOf(instanceId))).spec.containers[0];
      expect(await containerOf(given)).toMatchObject({
        name: 'model',
        image: 'ersiliaos/eos-test:v1',
        env: [{ name: 'THREADS', value: '3' }],
      });
      expect((await containerOf(usual))?.env).toBeUndefined();
    });

    it('passes over a template that can not be used, and says which and why', async () => {
      await createTemplate('2.0.0', { containers: [server] });
      await createTemplate(null, { containers: [server] });
      await expect(host.createInstance(kubernetesSpec({ templateVersion: '2.0.0' }))).resolves.toBeDefined();
      expect(warnings).toEqual([
        expect.stringMatching(
          /pod template template-without-version can't be used.*ersilia\.modeltemplate\.version/s,
        ),
      ]);
    });

    it('X-P11: measures the container of the model server alone, whatever a template runs beside it', async () => {
      const spec = kubernetesSpec();
      const usage = { cpuMillicores: 40, memoryBytes: 100 * MEBIBYTE };
      const beside = { cpuMillicores: 900, memoryBytes: 700 * MEBIBYTE };
      plane.metrics.set(namespace, podNameOf(spec.instanceId), { ...usage, beside });
      const watch = recordWatch(host);
      const created = await host.createInstance(spec);
      await watch.until(created, ({ ready }) => ready);
      expect((await host.readUsage()).instances).toMatchObject([{ uid: created.uid, ...usage }]);
      watch.close();
    });

    it('leaves the API server alone for as long as it asks to be', async () => {
      const proxy = await plane.proxy();
      const asked = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
      const watch = recordWatch(asked);
      await watch.until(await host.createInstance(kubernetesSpec()), () => true);
      const before = proxy.requests.length;
      proxy.fail(429, 60_000);
      while (proxy.requests.length === before) await sleep(5);
      proxy.pass();
      while (proxy.requests.length === before + 1) await sleep(5);
      const [refused, next] = proxy.requests.slice(before);
      // It said: after one second. Without a word of that kind it is asked again within 100 ms.
      expect(next!.atMs - refused!.atMs).toBeGreaterThan(950);
      watch.close();
      await asked.close();
    });

    it('ends an instance by force that does not end by itself, when its time is over', async () => {
      const impatient = openKubernetesHost(await plane.kubeconfig('hub'), namespace, {
        INSTANCE_GRACE_PERIOD_SECONDS: '1',
        INSTANCE_FORCE_DELETE_SECONDS: '1',
      });
      const watch = recordWatch(impatient);
      const stuck = kubernetesSpec({ annotations: { 'sim.test/fault': 'stuck-terminating' } });
      const created = await impatient.createInstance(stuck);
      await watch.until(created, ({ ready }) => ready);
      expect(await impatient.deleteInstance(stuck.instanceId, created.uid)).toEqual({ deleted: true });
      await watch.until(created, ({ terminating }) => terminating);
      const { metadata } = await plane.cluster.pod(namespace, podNameOf(stuck.instanceId));
      while ((await impatient.deleteInstance(stuck.instanceId, created.uid)).deleted) await sleep(50);
      await watch.untilGone(created);
      expect(Date.now()).toBeGreaterThan(Date.parse(metadata.deletionTimestamp!) + 1000);
      watch.close();
      await impatient.close();
    });

    it('lists more pods than a page holds page by page, and tells them as one list', async () => {
      const count = pageSize + 20;
      const pod = (index: number) => ({
        metadata: { name: `pod-${index}`, labels: ownLabels({ name: 'model-hub', id: testHubId }) },
        spec: {
          // Nobody places them: only their number matters.
          schedulerName: 'nobody',
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'model',
              image: 'x',
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      });
      const indices = Array.from({ length: count }, (_, index) => index);
      await Promise.all(indices.map((index) => plane.cluster.createPod(namespace, pod(index))));
      const proxy = await plane.proxy();
      const listing = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
      const watch = recordWatch(listing);
      while (watch.events.length === 0) await sleep(5);
      const [first] = watch.events;
      expect(first?.type === 'listed' && first.instances).toHaveLength(count);
      const lists = proxy.requests.filter(({ path, isWatch }) => path.endsWith('/pods') && !isWatch);
      expect(lists.map(({ query }) => [query.get('limit'), query.has('continue')])).toEqual([
        ['500', false],
        ['500', true],
      ]);
      watch.close();
      await listing.close();
    });
  });
}
