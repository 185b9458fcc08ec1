import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createReconciler } from '../../activities/leader/reconcile.js';
import { watchInstances } from '../../activities/instances/instance-watch.js';
import type { Database } from '../../db/database.js';
import { migrate } from '../../db/migrate.js';
import { readHubId } from '../../db/queries/hub-identity.js';
import { retentionSettings } from '../../db/retention.config.js';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import type { ModelHost } from '../../hosts/model-host.js';
import type { ControlPlane } from '../kubernetes/control-plane/control-plane.js';
import { kubernetesSpec, openKubernetesHost } from '../support/kubernetes-host.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';
import { waitUntil } from '../support/wait-until.js';

const pace = { withinMs: 20_000, everyMs: 50 };

interface Hub {
  readonly host: ModelHost;
  /** What the leader of this hub does every 15 seconds; orphans have no time to be noticed otherwise. */
  readonly reconcile: () => Promise<{ readonly orphansEnded: number }>;
  readonly sees: (instanceId: string) => boolean;
  readonly close: () => Promise<void>;
}

/** Hubs that nobody gave a name, with a database each, in one namespace. @param parts a plane with a node */
export function describeTwoHubs(
  parts: () => { readonly plane: ControlPlane; readonly namespace: string },
): void {
  describeWith('postgres')('hubs of one name in one namespace', () => {
    let worker: PlayedWorker;
    let newDatabase: Database;
    let hubs: readonly [Hub, Hub];

    beforeAll(async () => {
      [worker, newDatabase] = await Promise.all([openPlayedWorker(), openNewDatabase()]);
      hubs = await Promise.all([openHub(worker.database), openHub(newDatabase)]);
    }, 60_000);
    afterAll(async () => {
      await Promise.all((hubs ?? []).map((hub) => hub.close()));
      await worker?.close();
      await newDatabase?.close();
    });

    async function openHub(database: Database): Promise<Hub> {
      const { plane, namespace } = parts();
      const hubId = await readHubId(database);
      const host = openKubernetesHost(await plane.kubeconfig('hub'), namespace, {}, { hubId });
      const instances = watchInstances(host);
      const settings = { ...worker.deps.settings, orphanSeconds: 0 };
      const retention = retentionSettings.parse({});
      const deps = { ...worker.deps, database, host, instances, settings, retention };
      const close = async () => {
        instances.close();
        await host.close();
      };
      const sees = (instanceId: string) => instances.current && instances.see(instanceId) !== null;
      return { host, reconcile: createReconciler(deps, async () => undefined), sees, close };
    }

    const isThere = async (instanceId: string) => {
      const { plane, namespace } = parts();
      const { items } = await plane.admin.ask<{ items: { metadata: { name: string } }[] }>(
        'GET',
        `/api/v1/namespaces/${namespace}/pods`,
      );
      return items.some(({ metadata }) => metadata.name === podNameOf(instanceId));
    };

    it('each end what their own database does not know, and nothing of the other', async () => {
      const [first, second] = hubs;
      const ofFirst = await first.host.createInstance(kubernetesSpec());
      const ofSecond = await second.host.createInstance(kubernetesSpec());
      const bothSee = () => first.sees(ofFirst.instanceId) && second.sees(ofSecond.instanceId);
      await waitUntil('each hub to see its instance', async () => bothSee() || undefined, pace);
      expect(first.sees(ofSecond.instanceId)).toBe(false);
      expect(second.sees(ofFirst.instanceId)).toBe(false);

      expect(await second.reconcile()).toMatchObject({ orphansEnded: 1 });
      const isGone = async () => !(await isThere(ofSecond.instanceId)) || undefined;
      await waitUntil('the orphan of the second to be gone', isGone, pace);
      expect(await isThere(ofFirst.instanceId)).toBe(true);
      expect(await first.reconcile()).toMatchObject({ orphansEnded: 1 });
    });
  });
}

/** Not a copy of another, as those of tests are: a copy is the same hub. */
async function openNewDatabase(): Promise<Database> {
  const database = await openTestDatabase();
  await database.orm.migrator.down({ to: 0 });
  await migrate(database.url);
  return database;
}
