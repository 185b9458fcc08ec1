import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../local/repository.js';

/** As much of jest's report as is read here. */
export interface SpecReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** Runs specs one after the other, as `npm test` does, and gives what became of each test; a missing part fails them. */
export async function runSpecs(paths: readonly string[]): Promise<SpecReport> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-specs-'));
  const file = join(folder, 'report.json');
  try {
    const words = ['scripts/test.mjs', ...paths, '--runInBand', '--json', `--outputFile=${file}`];
    const jest = spawn(process.execPath, words, {
      cwd: repositoryRoot(),
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, HUB_REQUIRE: 'kubernetes' },
    });
    await once(jest, 'close');
    return JSON.parse(await readFile(file, 'utf8')) as SpecReport;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
