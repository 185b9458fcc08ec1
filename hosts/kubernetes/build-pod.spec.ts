import { describe, expect, it } from '@jest/globals';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import fc from 'fast-check';
import type { InstanceSpec } from '../model-host.js';
import { buildPod, type PodSettings } from './build-pod.js';

const mebibyte = 2 ** 20;
const settings: PodSettings = {
  hub: { name: 'hub-1', id: 'id-1' },
  namespace: 'models',
  modelPort: 80,
  gracePeriodSeconds: 10,
};
const spec = (over: Partial<InstanceSpec> = {}): InstanceSpec => ({
  instanceId: '0198-1',
  modelId: 'eos4e40',
  image: 'ersiliaos/eos4e40:v1.0.2',
  templateVersion: '0.0.0',
  cpuRequestMillicores: 10,
  cpuLimitMillicores: 500,
  memoryRequestBytes: 100 * mebibyte,
  memoryLimitBytes: 1024 * mebibyte,
  labels: {},
  annotations: {},
  ...over,
});
const build = (over: Partial<InstanceSpec> = {}, template: V1PodTemplateSpec | null = null) =>
  buildPod(spec(over), template, settings);
const withLimit = (mebibytes: number | null) =>
  build({ memoryLimitBytes: mebibytes === null ? null : mebibytes * mebibyte });

describe('the nodes that an instance tolerates and prefers', () => {
  const all = ['2Gi', '4Gi', '8Gi', '16Gi'];
  const best2 = [
    [100, ['2Gi']],
    [20, ['4Gi', '8Gi']],
    [1, ['16Gi']],
  ];
  const best4 = [
    [100, ['4Gi']],
    [20, ['8Gi']],
    [1, ['16Gi']],
  ];
  const best8 = [
    [100, ['8Gi']],
    [1, ['16Gi']],
  ];
  const best16 = [[100, ['16Gi']]];

  it.each([
    [100, all, best2],
    [1024, all, best2],
    [1025, all, best4],
    [2048, all, best4],
    [2049, ['4Gi', '8Gi', '16Gi'], best4],
    [3072, ['4Gi', '8Gi', '16Gi'], best4],
    [3073, ['8Gi', '16Gi'], best8],
    [7168, ['8Gi', '16Gi'], best8],
    [7169, ['16Gi'], best16],
    [15_360, ['16Gi'], best16],
    [15_361, [], []],
  ])('with %d MiB are %j, best of all %j', (mebibytes, tolerated, preferred) => {
    const { tolerations, affinity } = withLimit(mebibytes).spec!;
    expect(tolerations).toEqual(
      tolerated.map((value) => ({ key: 'node.sku', operator: 'Equal', value, effect: 'NoSchedule' })),
    );
    const terms = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    expect(terms.map(({ weight, preference }) => [weight, preference.matchExpressions?.[0]?.values])).toEqual(
      preferred,
    );
    for (const { preference } of terms)
      expect(preference.matchExpressions).toEqual([
        expect.objectContaining({ key: 'node.sku', operator: 'In' }),
      ]);
  });

  it('are chosen by what it asks for where it has no limit', () => {
    const { tolerations } = build({ memoryLimitBytes: null, memoryRequestBytes: 5000 * mebibyte }).spec!;
    expect(tolerations?.map(({ value }) => value)).toEqual(['8Gi', '16Gi']);
  });

  it('are those where other instances of its hub run, before those that waste', () => {
    const [term] = build().spec!.affinity!.podAffinity!.preferredDuringSchedulingIgnoredDuringExecution!;
    expect(term).toEqual({
      weight: 50,
      podAffinityTerm: {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: { matchLabels: { 'ersilia.hub': 'hub-1' } },
      },
    });
  });
});

describe('the pod of an instance', () => {
  it('says whose it is, of which model and size, and for which request', () => {
    const { metadata } = build({ annotations: { 'ersilia.requestid': '41' } });
    expect(metadata).toMatchObject({ name: 'model-0198-1', namespace: 'models' });
    expect(metadata?.generateName).toBeUndefined();
    expect(metadata?.labels).toEqual({
      'app.kubernetes.io/component': 'model',
      'app.kubernetes.io/part-of': 'eos-models',
      'app.kubernetes.io/instance': 'model-eos4e40',
      'app.kubernetes.io/managed-by': 'model-hub',
      'ersilia.modelid': 'eos4e40',
      'ersilia.modelsize': '1024Mi',
      'ersilia.instanceid': '0198-1',
      'ersilia.hub': 'hub-1',
      'ersilia.hub-id': 'id-1',
    });
    expect(metadata?.annotations).toMatchObject({
      'ersilia.requestid': '41',
      'ersilia.serverid': 'hub-1',
      'ersilia.modelid': 'eos4e40',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
    });
  });

  it('runs the image with the tag of the model, within what the model asks for', () => {
    const [container] = build().spec!.containers;
    expect(container?.image).toBe('ersiliaos/eos4e40:v1.0.2');
    expect(container?.resources).toEqual({
      requests: { cpu: '10m', memory: String(100 * mebibyte) },
      limits: { cpu: '500m', memory: String(1024 * mebibyte) },
    });
  });

  it('has no memory limit where the model has none, also if its template has one', () => {
    const template = { spec: { containers: [{ name: 'x', resources: { limits: { memory: '1Gi' } } }] } };
    const [container] = build({ memoryLimitBytes: null }, template).spec!.containers;
    expect(container?.resources?.limits).toEqual({ cpu: '500m' });
    expect(container?.resources?.requests?.memory).toBe(String(100 * mebibyte));
  });

  it('is restricted, may not ask the API server and is not started again', () => {
    const { spec: built } = build();
    expect(built).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 10,
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '80' }],
      },
    });
    expect(built?.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('is ready when its server answers /healthz on the port of the settings', () => {
    const [container] = build().spec!.containers;
    expect(container?.ports).toEqual([{ name: 'http', containerPort: 80 }]);
    expect(container?.readinessProbe?.httpGet).toEqual({ path: '/healthz', port: 80 });
  });
});

describe('a pod template', () => {
  const template: V1PodTemplateSpec = {
    metadata: {
      labels: { team: 'chemistry', 'ersilia.hub': 'someone-else', 'ersilia.hub-id': 'another' },
      annotations: { note: 'kept', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
    },
    spec: {
      imagePullSecrets: [{ name: 'registry' }],
      restartPolicy: 'Always',
      tolerations: [{ key: 'own', operator: 'Exists' }],
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 7, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] } },
          ],
        },
      },
      containers: [
        {
          name: 'server',
          image: 'placeholder',
          env: [{ name: 'THREADS', value: '1' }],
          ports: [{ containerPort: 3000 }],
          resources: { requests: { cpu: '9', 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } },
        },
        { name: 'proxy', image: 'proxy:1' },
      ],
      initContainers: [{ name: 'weights', image: 'weights:1' }],
    },
  };
  const built = () => build({}, template);

  it('decides what the hub does not: secrets, variables, the port, what else is asked of a node', () => {
    const { imagePullSecrets, containers, securityContext } = built().spec!;
    expect(imagePullSecrets).toEqual([{ name: 'registry' }]);
    expect(containers[0]).toMatchObject({
      env: [{ name: 'THREADS', value: '1' }],
      ports: [{ containerPort: 3000 }],
      readinessProbe: { httpGet: { port: 3000 } },
      resources: {
        requests: { cpu: '10m', 'example.com/gpu': '1' },
        limits: { cpu: '500m', 'example.com/gpu': '1' },
      },
    });
    // Its port needs no privilege.
    expect(securityContext?.sysctls).toBeUndefined();
  });

  it('keeps its settings of the kernel beside the one that a low port needs, unless it sets that itself', () => {
    const sysctlsWith = (...sysctls: { name: string; value: string }[]) =>
      build({}, { spec: { containers: [{ name: 'server' }], securityContext: { sysctls } } }).spec!
        .securityContext!.sysctls;
    const portStart = { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' };
    const other = { name: 'net.ipv4.tcp_syncookies', value: '1' };
    expect(sysctlsWith(other)).toEqual([other, { ...portStart, value: '80' }]);
    expect(sysctlsWith(portStart)).toEqual([portStart]);
  });

  it('does not decide whose pod it is, what runs in it and whether it is started again', () => {
    const { metadata, spec: builtSpec } = built();
    expect(metadata?.labels).toMatchObject({
      team: 'chemistry',
      'ersilia.hub': 'hub-1',
      'ersilia.hub-id': 'id-1',
    });
    expect(metadata?.annotations).toMatchObject({
      note: 'kept',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
    });
    expect(builtSpec?.restartPolicy).toBe('Never');
    expect(builtSpec?.containers.map(({ name, image }) => [name, image])).toEqual([
      ['model', 'ersiliaos/eos4e40:v1.0.2'],
      ['proxy', 'proxy:1'],
    ]);
  });

  it('keeps its tolerations and preferences beside those of the size', () => {
    const { tolerations, affinity } = built().spec!;
    expect(tolerations?.[0]).toEqual({ key: 'own', operator: 'Exists' });
    expect(tolerations).toHaveLength(5);
    const terms = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
    expect(terms?.map(({ weight }) => weight)).toEqual([7, 100, 20, 1]);
  });

  it('has every container of it restricted, those that start before the others too', () => {
    const { containers, initContainers } = built().spec!;
    for (const { securityContext } of [...containers, ...initContainers!])
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
  });

  it('is left as it was', () => {
    const before = structuredClone(template);
    built();
    expect(template).toEqual(before);
  });
});

describe('any instance', () => {
  const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
  const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
  const text = fc.string({ unit: 'binary', maxLength: 90 });

  it('gives a pod whose name and labels a cluster takes, and whose annotations hold the ids as they are', () => {
    fc.assert(
      fc.property(
        text,
        text,
        fc.dictionary(fc.constantFrom('a', 'b'), text),
        (instanceId, modelId, labels) => {
          const { metadata } = build({ instanceId, modelId, labels });
          expect(metadata?.name).toMatch(dnsLabel);
          for (const value of Object.values(metadata?.labels ?? {})) expect(value).toMatch(labelValue);
          expect(metadata?.annotations).toMatchObject({
            'ersilia.instanceid': instanceId,
            'ersilia.modelid': modelId,
          });
        },
      ),
    );
  });
});
