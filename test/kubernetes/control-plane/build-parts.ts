import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../../domain/settings.js';
import { repositoryRoot } from '../../../local/repository.js';
import { cachedPath } from '../../../local/tools/get-outside-part.js';
import { findGo } from './go-toolchain.js';

/** Each program: the folder of its `go.mod` here, the package that is its `main`, and the version asked for there. */
const recipes = {
  etcd: { module: 'etcd', main: 'go.etcd.io/etcd/server/v3', version: '3.7.3' },
  'kube-apiserver': {
    module: 'kubernetes',
    main: 'k8s.io/kubernetes/cmd/kube-apiserver',
    version: '1.36.3',
  },
  'kube-scheduler': {
    module: 'kubernetes',
    main: 'k8s.io/kubernetes/cmd/kube-scheduler',
    version: '1.36.3',
  },
  kwok: { module: 'kwok', main: 'sigs.k8s.io/kwok/cmd/kwok', version: '0.8.0' },
} as const;
type PartName = keyof typeof recipes;
const partNames = Object.keys(recipes) as PartName[];

/** Paths of the programs that a control plane is made of. */
export type ControlPlaneParts = Readonly<Record<PartName, string>>;

type Report = (line: string) => void;
const progressEveryMs = 15_000;
const lookForLockEveryMs = 100;

/**
 * The programs of a Kubernetes control plane from the tools' cache, built there from their Go modules the first time:
 * about five minutes on two cores. Which source they are built from is fixed by the checksums in `go.sum`.
 * @throws Error of one sentence that says what could not be had.
 */
export async function getControlPlaneParts(
  environment: Environment,
  report: Report,
): Promise<ControlPlaneParts> {
  const paths = Object.fromEntries(
    partNames.map((name) => [name, builtPath(name, environment)]),
  ) as ControlPlaneParts;
  if (partNames.every((name) => existsSync(paths[name]))) return paths;
  const directory = dirname(paths.etcd);
  await mkdir(directory, { recursive: true });
  await withLock(join(directory, 'control-plane.building'), report, () => build(paths, directory, report));
  return paths;
}

const moduleFolder = (name: PartName): string =>
  join(repositoryRoot(), 'test/kubernetes/control-plane/go', recipes[name].module);

/** Where the program is kept; another `go.mod` or `go.sum` makes it another program. */
function builtPath(name: PartName, environment: Environment): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(moduleFolder(name), file)));
  const version = `${recipes[name].version}-${hash.digest('hex').slice(0, 8)}`;
  return cachedPath({ program: name, version }, environment);
}

async function build(paths: ControlPlaneParts, directory: string, report: Report): Promise<void> {
  const missing = partNames.filter((name) => !existsSync(paths[name]));
  if (missing.length === 0) return;
  const scratch = await mkdtemp(join(directory, 'build-'));
  try {
    const go = await findGo(scratch, report);
    report(`building ${missing.join(', ')} from their Go modules, once; about five minutes on two cores`);
    for (const name of missing) {
      const seconds = await buildOne(go, name, join(scratch, name), report);
      await rename(join(scratch, name), paths[name]);
      report(`  ${name} built in ${seconds} s`);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the Kubernetes control plane could not be built: ${reason}`, { cause });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @returns how many seconds it took */
async function buildOne(go: string, name: PartName, output: string, report: Report): Promise<number> {
  const began = performance.now();
  const words = ['build', '-v', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', output];
  const child = spawn(go, [...words, recipes[name].main], {
    cwd: moduleFolder(name),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', GOTOOLCHAIN: 'local' },
  });
  const seconds = () => Math.round((performance.now() - began) / 1000);
  const tail = followBuild(child, (count) => report(`  ${name}: ${count} packages after ${seconds()} s`));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`go build of ${name} ended with ${code}: ${tail().join(' / ')}`);
  return seconds();
}

/** Counts the packages that Go names as it compiles them. @returns a way to its last words */
function followBuild(child: ChildProcess, say: (count: number) => void): () => readonly string[] {
  let count = 0;
  let words: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = text.split('\n').filter(Boolean);
    count += lines.length;
    words = [...words, ...lines].slice(-5);
  });
  const timer = setInterval(() => say(count), progressEveryMs);
  child.once('close', () => clearInterval(timer));
  child.once('error', () => clearInterval(timer));
  return () => words;
}

/** One builder at a time; a lock whose process is gone is taken over. */
async function withLock(path: string, report: Report, work: () => Promise<void>): Promise<void> {
  let said = false;
  while (!(await takeLock(path))) {
    if (!said) report('waiting for another build of the control plane to end');
    said = true;
    await sleep(lookForLockEveryMs);
  }
  try {
    await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
  // An empty lock is being written this moment.
  if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
