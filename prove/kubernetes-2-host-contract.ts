import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../local/repository.js';
import type { Proof, ProofContext } from './proof.js';

const specs = {
  'the local host': 'test/hosts/local-model-host.spec.ts',
  'the cluster': 'test/hosts/kubernetes-model-host.spec.ts',
} as const;

/** As much of jest's report as is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** One contract for every place where instances run: the very same tests, on processes and on pods. */
export const kubernetes2HostContract: Proof = {
  name: 'kubernetes-2',
  title: 'the contract suite of model hosts, on the local host and on a real control plane',
  async run(context) {
    const report = await runSpecs(Object.values(specs));
    const [local, cluster] = Object.entries(specs).map(([host, spec]) => judge(context, report, host, spec));
    context.claim('both are held to the same tests', local === cluster);
  },
};

/** @returns the names of the tests, a line each */
function judge({ say, claim }: ProofContext, report: Report, host: string, spec: string): string {
  const tests = report.testResults.find(({ name }) => name.endsWith(spec))?.assertionResults ?? [];
  for (const { title, status } of tests) say(`${host} ${title}`, status);
  const failed = tests.filter(({ status }) => status !== 'passed').map(({ title }) => title);
  const seen = failed.length === 0 ? `${tests.length} tests` : failed.join('; ');
  claim(`${host} passes the contract suite`, tests.length > 0 && failed.length === 0, seen);
  return tests.map(({ title }) => title).join('\n');
}

async function runSpecs(paths: readonly string[]): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-contract-'));
  const file = join(folder, 'report.json');
  try {
    const words = ['scripts/test.mjs', ...paths, '--runInBand', '--json', `--outputFile=${file}`];
    const jest = spawn(process.execPath, words, {
      cwd: repositoryRoot(),
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, HUB_REQUIRE: 'kubernetes' },
    });
    await once(jest, 'close');
    return JSON.parse(await readFile(file, 'utf8')) as Report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
