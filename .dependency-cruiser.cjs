/**
 * Who may import whom. The arrows point down:
 *
 *   local -> {api, temporal} -> {activities, workflows} -> {hosts, chemistry} -> db -> domain
 *
 * web-components stands outside. Whatever crosses folders to test or measure (test, bench, prove, *.spec.ts) may see
 * everything; nothing else may see it.
 */
const spec = String.raw`\.spec\.ts$`;
const folders = [
  'domain',
  'db',
  'migrations',
  'hosts',
  'chemistry',
  'workflows',
  'activities',
  'temporal',
  'api',
  'local',
  'web-components',
  'scripts',
];

/** Folders of this repository that each folder may import from, itself apart. */
const allowedFolders = {
  domain: [],
  db: ['domain', 'migrations'],
  migrations: [],
  hosts: ['db', 'domain'],
  chemistry: ['db', 'domain'],
  workflows: ['domain', 'activities'],
  activities: ['hosts', 'chemistry', 'db', 'domain'],
  temporal: ['activities', 'workflows', 'hosts', 'chemistry', 'db', 'migrations', 'domain'],
  api: ['temporal', 'workflows', 'hosts', 'chemistry', 'db', 'domain'],
  local: ['api', 'temporal', 'activities', 'workflows', 'hosts', 'chemistry', 'db', 'migrations', 'domain'],
  'web-components': [],
  scripts: [],
};

const pathOf = (names) => `^(${names.join('|')})/`;
const inPackages = (names) => names.map((name) => String.raw`(^|/)node_modules/${name}(/|$)`);

const folderRules = Object.entries(allowedFolders).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-what-is-below`,
  comment: `${folder} may import from: ${allowed.join(', ') || 'nothing of this repository'}.`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot: spec },
  to: { path: pathOf(folders.filter((other) => other !== folder && !allowed.includes(other))) },
}));

/** Packages that a folder may use; all others are refused. */
const onlyPackages = (folder, names, pathNot = spec) => ({
  name: `${folder}-packages`,
  comment: `${folder} may use only these packages: ${names.join(', ')}.`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot },
  to: {
    dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'],
    pathNot: inPackages(names),
  },
});

module.exports = {
  forbidden: [
    ...folderRules,
    onlyPackages('domain', ['zod']),
    onlyPackages('workflows', ['@temporalio/workflow', '@temporalio/common', 'zod']),
    onlyPackages('migrations', ['@mikro-orm/migrations']),
    onlyPackages(
      'web-components',
      ['lit', 'lit-html', 'lit-element', '@lit/[^/]+', 'uplot'],
      [spec, String.raw`vite\.config\.ts$`],
    ),
    {
      name: 'migrations-are-listed-by-the-orm-configuration',
      comment: 'db/*.config.ts names the migrations; nothing else in db knows them.',
      severity: 'error',
      from: { path: '^db/', pathNot: [spec, String.raw`\.config\.ts$`] },
      to: { path: '^migrations/' },
    },
    {
      name: 'workflows-see-effects-as-types',
      comment: 'A workflow knows activities by their type-only interfaces (*.effects.ts).',
      severity: 'error',
      from: { path: '^workflows/', pathNot: spec },
      to: { path: '^activities/', pathNot: String.raw`\.effects\.ts$` },
    },
    {
      name: 'workflows-import-activities-type-only',
      comment: 'A value import would put the activity into the workflow bundle.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: spec },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflow-code-runs-in-the-bundle-only',
      comment: 'Messages may be imported anywhere above; workflow code itself as types only.',
      severity: 'error',
      from: { path: '^(api|temporal|local)/', pathNot: spec },
      to: { path: '^workflows/', pathNot: String.raw`\.messages\.ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'activities-are-made-in-the-worker',
      comment: 'createActivities() is called by temporal/worker.main.ts alone.',
      severity: 'error',
      from: { path: '^(temporal|local)/', pathNot: [spec, String.raw`^temporal/worker\.main\.ts$`] },
      to: { path: String.raw`^activities/(index|create-activities)\.ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'api-does-not-load-the-worker',
      comment:
        'The api process talks to Temporal through a client; the worker package costs it memory and signals.',
      severity: 'error',
      from: { path: '^api/', pathNot: spec },
      to: { path: inPackages(['@temporalio/worker', '@temporalio/activity']), reachable: true },
    },
    {
      name: 'model-servers-know-nothing-of-the-hub',
      comment: 'Built-in models run as a container would: no database, no Temporal, no API.',
      severity: 'error',
      from: { path: '^local/models/', pathNot: spec },
      to: { path: '^(db|migrations|hosts|activities|workflows|temporal|api|local/(?!models/))' },
    },
    {
      name: 'nothing-imports-tests',
      comment: 'Only tests, benchmarks and proofs may use test/, and nothing but them bench/ and prove/.',
      severity: 'error',
      from: { pathNot: ['^(test|bench|prove)/', spec] },
      to: { path: ['^(test|bench|prove)/', spec] },
    },
    {
      name: 'measurements-use-test-support-only',
      comment:
        'bench/ and prove/ may import test/support, test/factories and the control plane; no specs, no other part of test/.',
      severity: 'error',
      from: { path: '^(bench|prove)/' },
      to: { path: ['^test/(?!support/|factories/|kubernetes/control-plane/)', String.raw`^test/.*${spec}`] },
    },
    {
      name: 'product-uses-no-dev-packages',
      comment: 'A package needed at run time belongs to dependencies.',
      severity: 'error',
      from: {
        path: pathOf(folders.filter((folder) => folder !== 'scripts')),
        pathNot: [spec, String.raw`vite\.config\.ts$`],
      },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that can not be found is a mistake, here or in package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['(^|/)dist/', String.raw`^\.hub/`] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    progress: { type: 'none' },
  },
};
