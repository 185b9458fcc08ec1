import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { getControlPlaneParts } from './build-parts.js';

const programs = ['etcd', 'kube-apiserver', 'kube-scheduler', 'kwok'];
const path = process.env.PATH;
let folder = '';
let said: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hub-build-parts-'));
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'tools'));
  process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
  said = [];
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

/** Puts a program first on the PATH. */
function putProgram(name: string, lines: readonly string[]): void {
  const file = join(folder, 'bin', name);
  writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(file, 0o755);
}

/** A compiler that writes down what it is asked and makes a file of it. `fails` is a program that it can not make. */
function putGo({ version = '1.26.6', fails = 'nothing' } = {}): void {
  putProgram('go', [
    `[ "$1" = env ] && echo go${version} && exit 0`,
    `echo "$(basename "$PWD") $*" >> ${join(folder, 'asked')}`,
    'while [ "$1" != -o ]; do shift; done',
    `case "$3" in */${fails}) echo "undefined: thing" >&2; exit 1;; esac`,
    'echo "made of $3" > "$2"',
  ]);
}

const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
const get = () => getControlPlaneParts({ HUB_TOOLS_DIR: join(folder, 'tools') }, (line) => said.push(line));

describe('the programs of a control plane', () => {
  it('are built from the modules that are named here, once', async () => {
    putGo();
    const parts = await get();
    expect(Object.keys(parts)).toEqual(programs);
    expect(readFileSync(parts.kwok, 'utf8')).toBe('made of sigs.k8s.io/kwok/cmd/kwok\n');
    expect(asked().map((line) => line.split(' ')[0])).toEqual(['etcd', 'kubernetes', 'kubernetes', 'kwok']);
    expect(said.join('\n')).toMatch(/about five minutes/);
    expect(await get()).toEqual(parts);
    expect(asked()).toHaveLength(4);
    expect(readdirSync(dirname(parts.etcd))).toHaveLength(4);
  });

  it('are built by one of several who want them at once', async () => {
    putGo();
    const [first, second] = await Promise.all([get(), get()]);
    expect(first).toEqual(second);
    expect(asked()).toHaveLength(4);
    expect(said).toContain('waiting for another build of the control plane to end');
  });

  it('are built although an earlier build died in the middle', async () => {
    putGo();
    const ended = 2 ** 22 + 1;
    writeFileSync(join(folder, 'tools', 'control-plane.building'), String(ended));
    expect(existsSync((await get()).etcd)).toBe(true);
  });

  it('that can not be built are named with the last words of the compiler; the others are kept', async () => {
    putGo({ fails: 'kube-scheduler' });
    await expect(get()).rejects.toThrow(
      /could not be built: go build of kube-scheduler ended with 1: undefined: thing$/,
    );
    expect(readdirSync(join(folder, 'tools')).map((name) => name.replace(/-\d.*/, ''))).toEqual([
      'etcd',
      'kube-apiserver',
    ]);
    putGo();
    await get();
    expect(asked()).toHaveLength(5);
  });

  it('are not built with a Go that is too old, nor where no other can be had', async () => {
    putGo({ version: '1.25.9' });
    putProgram('python3', ['echo "No module named pip" >&2', 'exit 1']);
    await expect(get()).rejects.toThrow(
      /could not be built: python3 -m pip download failed \(No module named pip\)/,
    );
    expect(existsSync(join(folder, 'asked'))).toBe(false);
    expect(readdirSync(join(folder, 'tools'))).toEqual([]);
  });
});
