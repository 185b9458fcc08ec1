/**
 * Holds every source file to the house rules that no linter knows: its name and folder, its length, and text that
 * must never be committed. Prints one line per fault and fails if there is one.
 */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { projectFiles } from './project-files.mjs';

/** Suffix -> most lines, and the folders where it may stand (anywhere when none are named). */
const suffixes = {
  wire: { lines: 150, folders: ['domain', 'hosts'] },
  entity: { lines: 150, folders: ['db'] },
  workflow: { lines: 250, folders: ['workflows'] },
  messages: { lines: 150, folders: ['workflows'] },
  activities: { lines: 200, folders: ['activities'] },
  effects: { lines: 150, folders: ['activities'] },
  controller: { lines: 250, folders: ['api'] },
  service: { lines: 300, folders: ['api'] },
  module: { lines: 150, folders: ['api'] },
  dto: { lines: 150, folders: ['api'] },
  filter: { lines: 150, folders: ['api'] },
  guard: { lines: 150, folders: ['api'] },
  strategy: { lines: 150, folders: ['api'] },
  interceptor: { lines: 150, folders: ['api'] },
  define: { lines: 50, folders: ['web-components'] },
  styles: { lines: 250, folders: ['web-components'] },
  config: { lines: 200 },
  main: { lines: 200 },
  setup: { lines: 100, folders: ['test'] },
  d: { lines: 200 },
  spec: { lines: 500 },
};
const ruleLines = 200;
const elementLines = 350;
/** SQL of one step reads better whole than split. */
const migrationLines = 500;
const entryPoints = ['workflows/index.ts', 'activities/index.ts', 'web-components/index.ts'];
const vagueNames = ['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc', 'shared'];
const generated = ['package-lock.json', 'api/openapi.json', 'web-components/client/api-types.ts'];

/** In specs; support code may leave out what a machine can not run, and says so at the end of the run. */
const leftOut = /\b(it|test|describe)\.(only|skip|todo)\b/;
const forbiddenText = [
  [/\b(TO[D]O|FI[X]ME|X[X]X)\b/, 'holds a note for later: do it, or open an issue'],
  [/(^|[\s"'`(=:])\/(home|root|Users|work)\/[\w.]/, 'names a path of one machine'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'holds a private key'],
  [/\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abpr]-[A-Za-z0-9-]{20,})\b/, 'holds a secret'],
  [
    /"resolved": "https?:|^\s*(@[\w-]+:)?registry\s*=|--(index-url|registry)[ =]/m,
    'names a package registry',
  ],
];

/** What is wrong with the file's name or place. */
function nameFaults(path) {
  const parts = basename(path, extname(path)).split('.');
  const [stem, suffix] = parts;
  if (basename(path).startsWith('.')) return [];
  if (basename(path) === 'index.ts')
    return entryPoints.includes(path) ? [] : ['is a barrel; only the three entry points may be'];
  const faults = [];
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(stem)) faults.push('is not named in lower-kebab');
  if (stem.split('-').some((word) => vagueNames.includes(word)))
    faults.push('has a name that says nothing; name what it does');
  if (parts.length > 2 && suffix !== 'workflow') faults.push('has more than one suffix');
  if (suffix !== undefined) faults.push(...suffixFaults(path, parts.at(-1)));
  return faults;
}

/** Is the suffix one of the closed list, and does it stand in its folder? */
function suffixFaults(path, suffix) {
  const rule = suffixes[suffix];
  if (!rule) return [`has the suffix .${suffix}, which is not in the closed list`];
  if (rule.folders && !rule.folders.includes(path.split('/')[0]))
    return [`has the suffix .${suffix}, which belongs in ${rule.folders.join(', ')}`];
  return [];
}

/** Most lines a source file may have. */
function ceilingOf(path, text) {
  const suffix = basename(path, extname(path)).split('.').slice(1).at(-1);
  if (path.startsWith('migrations/')) return migrationLines;
  if (suffix) return suffixes[suffix]?.lines ?? ruleLines;
  if (path.startsWith('test/') && /^\s*describe\b/m.test(text)) return suffixes.spec.lines;
  return /\bclass \w+ extends \w*Element\b/.test(text) ? elementLines : ruleLines;
}

/** A tag that is defined must be known to TypeScript, so that hosts get its type from `querySelector`. */
function tagFaults(path, text) {
  if (!path.startsWith('web-components/') || path.endsWith('.spec.ts')) return [];
  const tags = [...text.matchAll(/customElements\.define\(\s*'([^']+)'/g)].map(([, tag]) => tag);
  const known = new RegExp(`interface HTMLElementTagNameMap`);
  return tags
    .filter((tag) => !known.test(text) || !text.includes(`'${tag}':`))
    .map((tag) => `defines <${tag}> without its line in HTMLElementTagNameMap`);
}

function faultsOf(path) {
  if (generated.includes(path)) return [];
  const text = readFileSync(path, 'utf8');
  const faults = forbiddenText.filter(([pattern]) => pattern.test(text)).map(([, fault]) => fault);
  if (path.endsWith('.spec.ts') && leftOut.test(text)) faults.push('leaves out tests');
  if (!/\.(ts|mjs|cjs)$/.test(path)) return faults;
  const lines = text.split('\n').length - 1;
  const ceiling = ceilingOf(path, text);
  if (lines > ceiling) faults.push(`has ${lines} lines; at most ${ceiling} are allowed: split it by topic`);
  return [...faults, ...nameFaults(path), ...tagFaults(path, text)];
}

const isText = (path) =>
  /\.(ts|mjs|cjs|js|json|md|ya?ml|html|css|sql|sh|py|tpl|svg)$|(^|\/)(run|Dockerfile|\.npmrc)$/.test(path);
const faults = projectFiles()
  .filter(isText)
  .flatMap((path) => faultsOf(path).map((fault) => `${path} ${fault}`));
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
