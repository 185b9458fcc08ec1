import type { Proof, ProofContext } from './proof.js';
import { type SpecReport, runSpecs } from './run-specs.js';

const specs = {
  'the local host': 'test/hosts/local-model-host.spec.ts',
  'the cluster': 'test/hosts/kubernetes-model-host.spec.ts',
} as const;

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
function judge({ say, claim }: ProofContext, report: SpecReport, host: string, spec: string): string {
  const tests = report.testResults.find(({ name }) => name.endsWith(spec))?.assertionResults ?? [];
  for (const { title, status } of tests) say(`${host} ${title}`, status);
  const failed = tests.filter(({ status }) => status !== 'passed').map(({ title }) => title);
  const seen = failed.length === 0 ? `${tests.length} tests` : failed.join('; ');
  claim(`${host} passes the contract suite`, tests.length > 0 && failed.length === 0, seen);
  return tests.map(({ title }) => title).join('\n');
}
