import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelHost, ObservedInstance } from '../../hosts/model-host.js';
import { repositoryRoot } from '../../local/repository.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { portForwardRoleObjects } from '../kubernetes/control-plane/cluster-objects.js';
import { type ControlPlane, startControlPlane } from '../kubernetes/control-plane/control-plane.js';
import { kubernetesSpec, openKubernetesHost } from '../support/kubernetes-host.js';
import { describeWith } from '../support/require-part.js';
import { type RecordedWatch, recordWatch } from './record-watch.js';

const model = { modelId: 'eos-physchem', image: 'ersiliaos/eos-physchem:v1' };
const throughApiServer = { MODEL_SERVER_ACCESS: 'port-forward', MODEL_INTEGRATION_PORT: '8080' };

/** The way from a hub outside the cluster to its pods; the kubelet's end of it is played, the API server is real. */
describeWith('kubernetes')('model servers through the API server', () => {
  let plane: ControlPlane;
  let namespace: string;
  let host: ModelHost;
  let watch: RecordedWatch;
  let instance: ObservedInstance;

  beforeAll(async () => {
    plane = await startControlPlane({ models: join(repositoryRoot(), 'local', 'models', 'models.json') });
    namespace = await plane.cluster.createNamespace();
    await plane.cluster.addNode({ name: 'node-1', cpuMillicores: 4000, memoryBytes: 8192 * MEBIBYTE });
    for (const [path, object] of portForwardRoleObjects(namespace))
      await plane.admin.ask('POST', path, object);
    host = openKubernetesHost(await plane.kubeconfig('hub'), namespace, throughApiServer);
    watch = recordWatch(host);
    const created = await host.createInstance(kubernetesSpec(model));
    await watch.until(created, ({ ready }) => ready);
    instance = watch.latest(created)!;
  }, 120_000);
  afterAll(async () => {
    watch?.close();
    await host?.close();
    await plane?.stop();
  }, 30_000);

  const run = async (address: string | null, rows: readonly string[]): Promise<unknown[]> => {
    const response = await fetch(`http://${address}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rows),
    });
    return (await response.json()) as unknown[];
  };

  it('are reached at a port of this machine, by many calls at once and by long ones', async () => {
    expect(instance.address).toMatch(/^127\.0\.0\.1:\d+$/);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => run(instance.address, [`${'C'.repeat(index + 1)}O`])),
    );
    expect(answers.map(([row]) => (row as { NumHeavyAtoms: number }).NumHeavyAtoms)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(await run(instance.address, Array<string>(2000).fill('CCO'))).toHaveLength(2000);
  });

  it('end a connection at the caller when the server ends it', async () => {
    const socket = connect(Number(instance.address?.split(':')[1]), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nhost: model\r\nconnection: close\r\n\r\n');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await once(socket, 'end');
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  });

  it('are not reached without the permission, and a warning says which', async () => {
    const warnings: string[] = [];
    const kubeconfig = await plane.kubeconfig('hub-without-nodes');
    const other = openKubernetesHost(kubeconfig, namespace, throughApiServer, {
      warn: (text) => warnings.push(text),
    });
    const seen = recordWatch(other);
    await seen.until(instance, ({ ready }) => ready);
    await expect(run(seen.latest(instance)!.address, ['CCO'])).rejects.toThrow();
    expect(warnings.join()).toMatch(/403.*deploy\/kubernetes\/port-forward\.yaml/);
    seen.close();
    await other.close();
  });

  it('are not reached any more once they are gone', async () => {
    await host.deleteInstance(instance.instanceId, instance.uid);
    await watch.untilGone(instance);
    const isOpen = () =>
      run(instance.address, []).then(
        () => true,
        () => false,
      );
    while (await isOpen()) await sleep(25);
  });
});
