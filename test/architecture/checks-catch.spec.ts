/**
 * `npm run check` is only worth its name if each rule catches what it forbids: every guilty file below is planted in a
 * scratch repository and must be named by its step, and an innocent repository must pass. That this repository itself
 * obeys is said by `npm run check`, not here.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plantRepository, type ScratchRepository } from './scratch-repository.js';

interface Guilty {
  readonly because: string;
  readonly path: string;
  readonly text: string;
  /** How the step must name it. */
  readonly says: RegExp;
}

const lines = (count: number) => '// why\n'.repeat(count);
const imports = (path: string) => `import { thing } from '${path}';\nexport const made = thing;\n`;
const importsType = (path: string) => `import type { Thing } from '${path}';\nexport type Made = Thing;\n`;
const thing = 'export interface Thing {\n  readonly a: string;\n}\nexport const thing = 1;\n';

const thingFrom = (path: string) =>
  `import { thing as lower } from '${path}';\n\nexport interface Thing {\n  readonly a: string;\n}\nexport const thing = lower + 1;\n`;
const thingSeeing = (path: string) =>
  `import type { Thing as Lower } from '${path}';\n\nexport type Thing = Lower;\nexport const thing = 1;\n`;

/** Things to import; innocent by themselves. */
const innocent: Record<string, string> = {
  'domain/thing.ts': thing,
  'db/thing.ts': thingFrom('../domain/thing.js'),
  'migrations/migration-0001-first.ts':
    "import { Migration } from '@mikro-orm/migrations';\nexport class First extends Migration {\n  override up(): void {\n    this.addSql('select 1');\n  }\n}\n",
  'hosts/thing.ts': thingFrom('../db/thing.js'),
  'activities/thing.effects.ts': thing,
  'activities/index.ts': 'export const createActivities = () => ({});\n',
  'workflows/tell.workflow.ts': thingSeeing('../activities/thing.effects.js'),
  'workflows/tell.messages.ts': thing,
  'temporal/worker.main.ts':
    "import { createActivities } from '../activities/index.js';\nexport const made = createActivities();\n",
  'api/thing.ts': thingFrom('../workflows/tell.messages.js'),
  'local/thing.ts': thingFrom('../api/thing.js'),
  'web-components/thing.ts': "import { html } from 'lit';\nexport const view = html`<p></p>`;\n",
  'test/support/thing.ts': thingFrom('../../local/thing.js'),
  'bench/bench.main.ts': imports('../test/support/thing.js'),
  'test/kubernetes/control-plane/thing.ts': thingFrom('../../../local/thing.js'),
  'prove/prove.main.ts': imports('../test/kubernetes/control-plane/thing.js'),
};

const arrows: readonly Guilty[] = [
  [
    'a rule that reads the database',
    'domain/guilty.ts',
    imports('../db/thing.js'),
    'domain-imports-only-what-is-below',
  ],
  [
    'a rule that uses a Node builtin',
    'domain/reads.ts',
    "export { readFileSync } from 'node:fs';\n",
    'domain-packages',
  ],
  [
    'a rule that uses a package other than zod',
    'domain/uses.ts',
    "export { html } from 'lit';\n",
    'domain-packages',
  ],
  ['a record that knows HTTP', 'db/guilty.ts', imports('../api/thing.js'), 'db-imports-only-what-is-below'],
  [
    'a host that knows activities',
    'hosts/guilty.ts',
    importsType('../activities/thing.effects.js'),
    'hosts-imports-only-what-is-below',
  ],
  [
    'a workflow that imports an effect as a value',
    'workflows/guilty.workflow.ts',
    imports('../activities/thing.effects.js'),
    'workflows-import-activities-type-only',
  ],
  [
    'a workflow that looks past the effects',
    'workflows/nosy.workflow.ts',
    "import type { createActivities } from '../activities/index.js';\nexport type Made = typeof createActivities;\n",
    'workflows-see-effects-as-types',
  ],
  [
    'a workflow that reads the database',
    'workflows/reads.workflow.ts',
    imports('../db/thing.js'),
    'workflows-imports-only-what-is-below',
  ],
  [
    'a workflow that uses the client',
    'workflows/calls.workflow.ts',
    "export { Client } from '@temporalio/client';\n",
    'workflows-packages',
  ],
  [
    'an activity that knows workflows',
    'activities/guilty.ts',
    imports('../workflows/tell.messages.js'),
    'activities-imports-only-what-is-below',
  ],
  [
    'activities made outside the worker',
    'temporal/guilty.ts',
    imports('../activities/index.js').replaceAll('thing', 'createActivities'),
    'activities-are-made-in-the-worker',
  ],
  [
    'workflow code loaded outside the bundle',
    'temporal/loads.ts',
    imports('../workflows/tell.workflow.js'),
    'workflow-code-runs-in-the-bundle-only',
  ],
  [
    'the API running an activity',
    'api/guilty.ts',
    importsType('../activities/thing.effects.js'),
    'api-imports-only-what-is-below',
  ],
  [
    'the API loading the worker',
    'api/works.ts',
    "export { Worker } from '@temporalio/worker';\n",
    'api-does-not-load-the-worker',
  ],
  [
    'the API starting the stack',
    'api/starts.ts',
    imports('../local/thing.js'),
    'api-imports-only-what-is-below',
  ],
  [
    'a model server that opens the database',
    'local/models/guilty.ts',
    imports('../../db/thing.js'),
    'model-servers-know-nothing-of-the-hub',
  ],
  [
    'an element that imports a server file',
    'web-components/guilty.ts',
    importsType('../domain/thing.js'),
    'web-components-imports-only-what-is-below',
  ],
  [
    'an element that imports a framework',
    'web-components/heavy.ts',
    "export { Injectable } from '@nestjs/common';\n",
    'web-components-packages',
  ],
  [
    'a migration that uses an entity',
    'migrations/migration-0002-guilty.ts',
    imports('../db/thing.js'),
    'migrations-imports-only-what-is-below',
  ],
  [
    'a record that names migrations',
    'db/names.ts',
    "export { First } from '../migrations/migration-0001-first.js';\n",
    'migrations-are-listed-by-the-orm-configuration',
  ],
  [
    'product code that uses a test',
    'local/guilty.ts',
    imports('../test/support/thing.js'),
    'nothing-imports-tests',
  ],
  [
    'a benchmark that uses a spec',
    'bench/guilty.ts',
    imports('../test/architecture/thing.spec.js'),
    'measurements-use-test-support-only',
  ],
  [
    'a proof that uses what only specs share',
    'prove/guilty.ts',
    imports('../test/hosts/thing.js'),
    'measurements-use-test-support-only',
  ],
  [
    'product code that uses a development package',
    'hosts/develops.ts',
    "export { default as fc } from 'fast-check';\n",
    'product-uses-no-dev-packages',
  ],
  [
    'two files that need each other',
    'hosts/one.ts',
    "import { two } from './two.js';\nexport const one = (): number => two();\n",
    'no-cycles',
  ],
  ['an import of nothing', 'hosts/lost.ts', imports('./nowhere.js'), 'everything-resolves'],
].map(([because = '', path = '', text = '', rule = '']) => ({
  because,
  path,
  text,
  says: new RegExp(`${rule}: ${path.replaceAll('.', '\\.')}`),
}));

const accomplices: Record<string, string> = {
  'hosts/two.ts': "import { one } from './one.js';\nexport const two = (): number => one();\n",
  'test/architecture/thing.spec.ts': thing,
  'test/hosts/thing.ts': thing,
};

const names: readonly Guilty[] = [
  ['a suffix out of the list', 'domain/thing.rule.ts', '', 'has the suffix .rule'],
  ['an entity outside db', 'api/thing.entity.ts', '', 'has the suffix .entity, which belongs in db'],
  [
    'a workflow outside workflows',
    'activities/thing.workflow.ts',
    '',
    'has the suffix .workflow, which belongs in workflows',
  ],
  ['a name in camel case', 'domain/thingMaker.ts', '', 'is not named in lower-kebab'],
  ['a name that says nothing', 'api/thing-utils.ts', '', 'has a name that says nothing'],
  ['a barrel', 'domain/index.ts', '', 'is a barrel'],
  ['a rule that is too long', 'domain/long.ts', lines(201), 'has 201 lines; at most 200'],
  ['a wire schema that is too long', 'domain/long.wire.ts', lines(151), 'has 151 lines; at most 150'],
  ['a workflow that is too long', 'workflows/long.workflow.ts', lines(251), 'has 251 lines; at most 250'],
  ['a controller that is too long', 'api/long.controller.ts', lines(251), 'has 251 lines; at most 250'],
  ['a service that is too long', 'api/long.service.ts', lines(301), 'has 301 lines; at most 300'],
  [
    'an element that is too long',
    'web-components/elements/long.ts',
    `class A extends LitElement {}\n${lines(350)}`,
    'has 351 lines; at most 350',
  ],
  ['a spec that is too long', 'test/long.spec.ts', lines(501), 'has 501 lines; at most 500'],
  ['a note for later', 'domain/later.ts', `// ${'TO'}DO\n`, 'holds a note for later'],
  ['a skipped test', 'test/skips.spec.ts', `it${'.skip'}('x', () => {});\n`, 'leaves out tests'],
  ['a path of one machine', 'docs/where.md', `see ${'/ho'}me/someone/hub\n`, 'names a path of one machine'],
  ['a private key', 'docs/key.md', `-----BEGIN ${'RSA'} PRIVATE KEY-----\n`, 'holds a private key'],
  ['a package registry', '.npmrc', `registry${'='}https://packages.example/\n`, 'names a package registry'],
  [
    'a tag unknown to TypeScript',
    'web-components/elements/thing.define.ts',
    "customElements.define('hub-thing', Thing);\n",
    'defines <hub-thing> without its line',
  ],
].map(([because = '', path = '', text = '', fault = '']) => ({
  because,
  path,
  text,
  says: new RegExp(`${path.replaceAll('.', '\\.')} ${fault}`),
}));

const tangled = `export function tangled(n: number): number {\n${Array.from({ length: 10 }, (_, i) => `  if (n === ${i}) return ${i};\n`).join('')}  return n;\n}\n`;
const endless = `export function endless(): number {\n  let sum = 0;\n${'  sum += 1;\n'.repeat(50)}  return sum;\n}\n`;
const lint: readonly Guilty[] = [
  [
    'a promise that nobody awaits',
    'domain/floats.ts',
    'export function float(): void {\n  Promise.resolve();\n}\n',
    'no-floating-promises',
  ],
  [
    'a promise where a truth is asked',
    'domain/misuses.ts',
    'export const misuse = (p: Promise<boolean>): number => (p ? 1 : 0);\n',
    'no-misused-promises',
  ],
  [
    'a switch that forgets a case',
    'domain/forgets.ts',
    "export function forget(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    'switch-exhaustiveness-check',
  ],
  ['any', 'domain/any.ts', 'export const loose: any = 1;\n', 'no-explicit-any'],
  ['a default export', 'domain/default.ts', 'export default 1;\n', 'no-default-export'],
  [
    'a type imported as a value',
    'domain/types.ts',
    "import { Thing } from './thing.js';\nexport type Made = Thing;\n",
    'consistent-type-imports',
  ],
  [
    'a focused test',
    'test/focus.spec.ts',
    `import { it } from '@jest/globals';\nit${'.only'}('x', () => {});\n`,
    'no-focused-tests',
  ],
  [
    'a swallowed error',
    'domain/swallows.ts',
    'export function swallow(): void {\n  try {\n    swallow();\n  } catch {}\n}\n',
    'no-empty',
  ],
  ['a function of 53 lines', 'domain/endless.ts', endless, 'max-lines-per-function'],
  ['a function of complexity 11', 'domain/tangled.ts', tangled, 'complexity'],
].map(([because = '', path = '', text = '', rule = '']) => ({
  because,
  path,
  text,
  says: new RegExp(`\\(${rule}\\)[^[]*\\[${path.replaceAll('.', '\\.')}`),
}));

const types: readonly Guilty[] = [
  [
    'a rule that reads the environment',
    'domain/reads-environment.ts',
    'export const env = process.env;\n',
    "Cannot find name 'process'",
  ],
  [
    'a workflow that waits by the machine clock',
    'workflows/waits.workflow.ts',
    'setTimeout(() => {}, 1);\n',
    "Cannot find name 'setTimeout'",
  ],
  [
    'an element that uses Node',
    'web-components/buffers.ts',
    "export const made = Buffer.from('');\n",
    "Cannot find name 'Buffer'",
  ],
  [
    'a value that may be missing',
    'api/missing.ts',
    'export const first = (list: string[]): string => list[0];\n',
    "Type 'string .* undefined' is not",
  ],
].map(([because = '', path = '', text = '', fault = '']) => ({
  because,
  path,
  text,
  says: new RegExp(`${path.replaceAll('.', '\\.')}\\(.*${fault}`),
}));

const strays: readonly Guilty[] = [
  {
    because: 'a file no tsconfig includes',
    path: 'examples/stray.ts',
    text: 'export {};\n',
    says: /examples\/stray\.ts belongs to no tsconfig/,
  },
];
const ugly: readonly Guilty[] = [
  {
    because: 'double quotes',
    path: 'domain/ugly.ts',
    text: 'export const a = "a"\n',
    says: /domain\/ugly\.ts/,
  },
];
const dead: readonly Guilty[] = [
  {
    because: 'a file nobody imports',
    path: 'domain/dead.ts',
    text: 'export const dead = 1;\n',
    says: /Unused files[^]*domain\/dead\.ts/,
  },
];

const groups: readonly (readonly [step: string, guilty: readonly Guilty[], more: Record<string, string>])[] =
  [
    ['import arrows', arrows, { ...innocent, ...accomplices }],
    ['file names', names, {}],
    ['lint', lint, { 'domain/thing.ts': thing }],
    ['types', [...types, ...strays], {}],
    ['formatting', ugly, {}],
    ['dead code', dead, {}],
  ];

describe.each(groups)('the step "%s"', (step, guilty, more) => {
  let repository: ScratchRepository;
  let found: ReturnType<ScratchRepository['check']>;
  beforeAll(() => {
    repository = plantRepository({
      ...more,
      ...Object.fromEntries(guilty.map(({ path, text }) => [path, text])),
    });
    found = repository.check(step);
  });
  afterAll(() => repository.remove());

  it('fails', () => expect(found.passed).toBe(false));
  it.each(guilty)('catches $because', ({ says }) => expect(found.output).toMatch(says));
});

describe('an innocent repository', () => {
  let repository: ScratchRepository;
  beforeAll(() => {
    repository = plantRepository(innocent);
  });
  afterAll(() => repository.remove());

  it.each(['import arrows', 'file names', 'lint', 'types', 'formatting'])('passes the step "%s"', (step) => {
    const { passed, output } = repository.check(step);
    expect({ passed, output: passed ? '' : output }).toEqual({ passed: true, output: '' });
  });
});
