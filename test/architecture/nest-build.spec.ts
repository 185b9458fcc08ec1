/** `nest build` knows both applications, and what it emits runs as far as its settings. `npm run build` uses tsc itself. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const { projects } = JSON.parse(readFileSync('nest-cli.json', 'utf8')) as {
  readonly projects: Readonly<Record<string, { readonly root: string; readonly entryFile: string }>>;
};

describe.each(['api', 'worker'])('nest build %s', (application) => {
  let folder: string;
  beforeAll(() => {
    mkdirSync('dist', { recursive: true });
    folder = mkdtempSync(join('dist', '.nest-'));
    const tsconfig = {
      extends: resolve('tsconfig.build.json'),
      compilerOptions: {
        rootDir: resolve('.'),
        outDir: resolve(folder),
        incremental: false,
        tsBuildInfoFile: null,
      },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('emits an entry that loads all it needs and stops at missing settings', () => {
    const { root = '', entryFile = '' } = projects[application] ?? {};
    const build = spawnSync(
      join('node_modules', '.bin', 'nest'),
      ['build', application, '--path', join(folder, 'tsconfig.json')],
      {
        encoding: 'utf8',
      },
    );
    expect({ status: build.status, said: build.status === 0 ? '' : build.stdout + build.stderr }).toEqual({
      status: 0,
      said: '',
    });

    const entry = join(folder, root, `${entryFile}.js`);
    expect(existsSync(entry)).toBe(true);
    const start = spawnSync(process.execPath, [entry], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
      timeout: 20_000,
    });
    expect(start.stderr + start.stdout).toMatch(/wrong settings: .*DATABASE_URL/);
    expect(start.status).not.toBe(0);
  }, 60_000);
});
