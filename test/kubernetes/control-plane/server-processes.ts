import { type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from '../../../local/launch.js';

const keptWords = 4000;
const lookEveryMs = 25;

/** A process of the control plane. It dies with us, however we end. */
export interface ServerProcess {
  readonly name: string;
  /** The last it wrote; the reason when it ends by itself. */
  words(): string;
  isRunning(): boolean;
  /** Ends it at once: everything here is thrown away. */
  kill(): Promise<void>;
}

/** Starts a program and keeps its last words. */
export function startServer(
  name: string,
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ServerProcess {
  const child: ChildProcess = startProcess({ command, args, environment, deathSignal: 'SIGKILL' });
  let words = '';
  const keep = (text: unknown) => (words = (words + String(text)).slice(-keptWords));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('error', (error) => keep(error.message));
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    name,
    words: () => words,
    isRunning,
    async kill() {
      if (!isRunning()) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * Waits until a look succeeds.
 * @throws Error with the process's last words when it ended or the time is over
 */
export async function untilReady(
  server: ServerProcess,
  look: () => Promise<boolean>,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await look().catch(() => false))) {
    const fault = !server.isRunning()
      ? 'ended'
      : performance.now() > deadline
        ? `was not ready within ${withinMs / 1000} s`
        : undefined;
    if (fault !== undefined) throw new Error(`${server.name} ${fault}: ${server.words().slice(-1500)}`);
    await sleep(lookEveryMs);
  }
}

/** etcd for a database that nobody will want back: no fsync. */
export function etcdArguments(folder: string, clientPort: number, peerPort: number): string[] {
  const [client, peer] = [clientPort, peerPort].map((port) => `http://127.0.0.1:${port}`);
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=error',
  ];
}

/** Only what pods, nodes and their permissions need: half the memory of the whole. */
const leanGroups = [
  'v1',
  'apiregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'networking.k8s.io/v1',
  'apps/v1',
  'events.k8s.io/v1',
  'rbac.authorization.k8s.io/v1',
  'coordination.k8s.io/v1',
  'policy/v1',
  'storage.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'resource.k8s.io/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'batch/v1',
  'discovery.k8s.io/v1',
  'node.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1',
];
/** Admission that needs controllers which do not run here, or resources that were left out. */
const leftOutAdmission = [
  'ServiceAccount',
  'LimitRanger',
  'StorageObjectInUseProtection',
  'DefaultStorageClass',
  'PersistentVolumeClaimResize',
  'ValidatingAdmissionPolicy',
  'MutatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
  'MutatingAdmissionWebhook',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'ClusterTrustBundleAttest',
];

/** Writes the key that the API server signs service accounts' tokens with, and gives the server's arguments. */
export async function apiServerArguments(
  folder: string,
  ports: { readonly etcd: number; readonly apiServer: number },
  tokenFile: string,
): Promise<string[]> {
  const keyFile = join(folder, 'service-accounts.key');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    // So that a test can read the store by itself.
    '--storage-media-type=application/json',
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.apiServer}`,
    `--cert-dir=${folder}`,
    `--service-account-key-file=${keyFile}`,
    `--service-account-signing-key-file=${keyFile}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${tokenFile}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--kubelet-preferred-address-types=InternalIP',
    '--enable-priority-and-fairness=false',
    '--endpoint-reconciler-type=none',
    '--event-ttl=10m',
    '--profiling=false',
    '--feature-gates=APIServerIdentity=false,UnknownVersionInteroperabilityProxy=false',
    `--disable-admission-plugins=${leftOutAdmission.join(',')}`,
    `--runtime-config=api/all=false,${leanGroups.map((group) => `${group}=true`).join(',')}`,
  ];
}

/** Writes the scheduler's configuration, without the limit of 50 pods a second that is its default, and gives its arguments. */
export async function schedulerArguments(folder: string, kubeconfig: string): Promise<string[]> {
  const path = join(folder, 'scheduler.json');
  const configuration = {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig, qps: 1000, burst: 2000 },
    podInitialBackoffSeconds: 1,
    podMaxBackoffSeconds: 2,
    profiles: [{ schedulerName: 'default-scheduler' }],
  };
  await writeFile(path, JSON.stringify(configuration));
  return [`--config=${path}`, '--leader-elect=false', '--secure-port=0'];
}
