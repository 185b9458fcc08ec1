/**
 * Writes every committed file that is made from others: the OpenAPI document, the elements' API types, the settings in
 * docs/operations.md. With `--check` nothing is written; a difference is named and fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import prettier from 'prettier';
import { settingsTables } from './settings-table.mjs';

const checkOnly = process.argv.includes('--check');
const openApi = 'api/openapi.json';
const operations = 'docs/operations.md';
const marks = { begin: '<!-- settings: generated -->', end: '<!-- /settings -->' };

/**
 * Compiles the server beside the real build, so that a running hub and other commands never notice. Type errors are
 * for the types step to tell: code is emitted all the same, and what can't run fails below by itself.
 */
function compile() {
  mkdirSync('dist', { recursive: true });
  const folder = mkdtempSync(resolve('dist', '.generate-'));
  const options = [
    '-p',
    'tsconfig.build.json',
    '--outDir',
    folder,
    '--incremental',
    'false',
    '--sourceMap',
    'false',
  ];
  const compiler = join('node_modules', '.bin', 'tsc');
  const { error } = spawnSync(compiler, [...options, '--tsBuildInfoFile', 'null'], { stdio: 'ignore' });
  if (error) throw new Error(`${compiler} did not start (${error.message}): run npm ci`, { cause: error });
  return folder;
}

/** The sorted OpenAPI document as the API process itself prints it; undefined while there is no such program. */
function openApiDocument(compiled) {
  const program = join(compiled, 'api/openapi.main.js');
  if (!existsSync(program)) return undefined;
  const printed = execFileSync(process.execPath, [program], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return `${JSON.stringify(JSON.parse(printed), null, 2)}\n`;
}

/** Types of paths, bodies and answers for the elements, from the document. */
function apiTypes(document, scratch) {
  if (document === undefined) return undefined;
  const file = join(scratch, 'openapi.json');
  writeFileSync(file, document);
  const options = ['--default-non-nullable=false', '--alphabetize'];
  return execFileSync(join('node_modules', '.bin', 'openapi-typescript'), [file, ...options], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** docs/operations.md with the settings between its marks made new. */
async function operationsPage(compiled) {
  const page = readFileSync(operations, 'utf8');
  const [before, rest] = page.split(marks.begin);
  const after = rest?.split(marks.end)[1];
  if (after === undefined)
    throw new Error(`${operations} lost its marks ${marks.begin} and ${marks.end}; put them back`);
  const tables = await settingsTables(compiled);
  const whole = `${before}${marks.begin}\n\n${tables}\n\n${marks.end}${after}`;
  return prettier.format(whole, { ...(await prettier.resolveConfig(operations)), parser: 'markdown' });
}

/** Path -> text as it must be. */
async function generatedFiles() {
  const compiled = compile();
  try {
    const document = openApiDocument(compiled);
    const files = {
      [openApi]: document,
      'web-components/client/api-types.ts': apiTypes(document, compiled),
      [operations]: await operationsPage(compiled),
    };
    return Object.entries(files).filter(([, text]) => text !== undefined);
  } finally {
    rmSync(compiled, { recursive: true, force: true });
  }
}

const files = await generatedFiles().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
for (const [path, text] of files) {
  const present = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (present === text) continue;
  if (checkOnly) {
    console.error(`${path} is not what its sources make of it: run npm run generate and commit the result`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${path}`);
}
