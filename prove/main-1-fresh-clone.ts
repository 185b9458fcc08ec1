import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../local/repository.js';
import { KNOWN_TOLERANCE, knownMolecules } from './known-values.js';
import type { Proof, ProofContext } from './proof.js';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A fresh clone needs two commands; the small version runs the demo of this very tree. */
export const freshClone: Proof = {
  name: 'main-1',
  title: 'npm ci && npm run demo prints every row with the known values; npm test passes',
  async run(context) {
    if (context.small) return checkCsv(context, await demo(repositoryRoot()));
    const folder = await mkdtemp(join(tmpdir(), 'hub-clone-'));
    try {
      await proveClone(context, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function proveClone(context: ProofContext, folder: string): Promise<void> {
  await run('git', ['clone', '--quiet', repositoryRoot(), folder]);
  await timed(context, 'npm ci', () => npm(folder, 'ci'));
  checkCsv(context, await timed(context, 'npm run demo', () => demo(folder)));
  const test = await timed(context, 'npm test', () => npm(folder, 'test').catch(keepOutput));
  const lastLines = (test instanceof Error ? test.message : test).trimEnd().split('\n').slice(-1).join('\n');
  context.claim('npm test passes', !(test instanceof Error), lastLines);
}

/** When HUB_PROVE_LOG names a file, it gets what a failed run said of its tests. */
function keepOutput(error: Error): Error {
  if (process.env.HUB_PROVE_LOG) writeFileSync(process.env.HUB_PROVE_LOG, error.message);
  return error;
}

async function timed<Result>(
  { say }: ProofContext,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  const result = await work();
  say(what, `${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}

async function npm(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('npm', args, { cwd: folder, maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}

const demo = (folder: string) => npm(folder, 'run', '--silent', 'demo');

function checkCsv({ claim }: ProofContext, csv: string): void {
  const [header = '', ...rows] = csv.trimEnd().split(/\r?\n/);
  const columns = header.split(',');
  claim('the CSV has one row per input row', rows.length === knownMolecules.length, `${rows.length} rows`);
  for (const [index, { name, smiles, key, values }] of knownMolecules.entries()) {
    const cells = (rows[index] ?? '').split(',');
    const cell = (column: string) => cells[columns.indexOf(column)];
    const inPlace =
      cell('input') === smiles && cell('name') === name && cell('key') === key && cell('status') === 'ok';
    claim(`row ${index + 1} is ${name}, with its key and status ok`, inPlace, rows[index]?.slice(0, 60));
    const off = Object.entries(values).filter(
      ([column, value]) => !(Math.abs(Number(cell(column)) - value) <= KNOWN_TOLERANCE),
    );
    claim(
      `${name} has the known values`,
      off.length === 0,
      off.map(([column]) => `${column}: ${cell(column)}`).join(', ') || undefined,
    );
  }
}
