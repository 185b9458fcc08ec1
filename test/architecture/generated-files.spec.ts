/** What `npm run generate` writes is what `npm run check` asks for. The API document needs the API: see test/api. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { plantRepository, type ScratchRepository } from './scratch-repository.js';

const step = 'generated files';
const page = '# Operations\n\n<!-- settings: generated -->\n\n<!-- /settings -->\n\nThe end.\n';
const part = `import { z } from 'zod';

export const partSettings = z.object({
  PART_SECONDS: z.coerce.number().default(60).describe('how long a part waits, seconds'),
});
`;
const whole = `import { z } from 'zod';
import { partSettings } from '../db/part.config.js';

export const wholeSettings = z.object({
  ...partSettings.shape,
  WHOLE_URL: z.string().describe('where the whole is | a URL'),
  WHOLE_NAME: z.string().optional().describe('what it is called'),
});
`;

let repository: ScratchRepository;
afterEach(() => repository.remove());
const generate = () =>
  execFileSync(process.execPath, ['scripts/generate.mjs'], { cwd: repository.folder, stdio: 'pipe' });
const operations = () => readFileSync(join(repository.folder, 'docs/operations.md'), 'utf8');

describe('the settings in docs/operations.md', () => {
  it('are asked for, then written, then accepted', () => {
    repository = plantRepository({
      'docs/operations.md': page,
      'db/part.config.ts': part,
      'api/whole.config.ts': whole,
    });
    const before = repository.check(step);
    expect(before.passed).toBe(false);
    expect(before.output).toContain('docs/operations.md is not what its sources make of it');
    expect(operations()).toBe(page);

    generate();
    expect(repository.check(step).passed).toBe(true);
    expect(operations()).toMatch(/\| `PART_SECONDS` +\| `60` +\| how long a part waits, seconds/);
    expect(operations()).toMatch(/\| `WHOLE_URL` +\| \*\*required\*\* +\| where the whole is \\\| a URL/);
    expect(operations()).toMatch(/\| `WHOLE_NAME` +\| – /);
    expect(operations()).toMatch(/<!-- \/settings -->\n\nThe end\.\n$/);
  });

  it('tell a part once, in the process that takes it in', () => {
    repository = plantRepository({
      'docs/operations.md': page,
      'db/part.config.ts': part,
      'api/whole.config.ts': whole,
    });
    generate();
    expect(operations().match(/`PART_SECONDS`/g)).toHaveLength(1);
    expect(operations()).not.toContain('db/part.config.ts');
  });

  it('are old after a default changed', () => {
    repository = plantRepository({ 'docs/operations.md': page, 'db/part.config.ts': part });
    generate();
    writeFileSync(join(repository.folder, 'db/part.config.ts'), part.replace('60', '90'));
    expect(repository.check(step).passed).toBe(false);
  });

  it('must be described', () => {
    repository = plantRepository({
      'docs/operations.md': page,
      'db/part.config.ts': part.replace(/\.describe\([^)]*\)/, ''),
    });
    expect(repository.check(step).output).toContain(
      'db/part.config.ts: the setting PART_SECONDS has no description',
    );
  });
});
