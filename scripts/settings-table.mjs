import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Every compiled `*.config.js` below a folder, in the order of their paths. */
function configFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith('.config.js'))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/** The default that a schema gives a missing variable, found through its wrappers; undefined when it has none. */
function defaultOf(schema) {
  for (let inner = schema; inner; inner = inner.def.innerType ?? inner.def.in) {
    if (inner.def.type === 'default' || inner.def.type === 'prefault') return inner.def.defaultValue;
  }
  return undefined;
}

/** The description of a schema or of what it wraps: `.describe()` may come before `.default()`. */
function descriptionOf(schema) {
  for (let inner = schema; inner; inner = inner.def.innerType ?? inner.def.in) {
    if (inner.description) return inner.description;
  }
  return undefined;
}

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');

/** What an operator reads in the default column. */
function shownDefault(schema) {
  const value = defaultOf(schema);
  if (value === '') return 'empty';
  if (value !== undefined) return `\`${cell(typeof value === 'object' ? JSON.stringify(value) : value)}\``;
  return schema.safeParse(undefined).success ? '–' : '**required**';
}

function tableOf(schema, place) {
  const rows = Object.entries(schema.shape).map(([name, setting]) => {
    const description = descriptionOf(setting);
    if (!description)
      throw new Error(
        `${place}: the setting ${name} has no description; add .describe('one sentence, unit')`,
      );
    return `| \`${name}\` | ${shownDefault(setting)} | ${cell(description)} |`;
  });
  return ['| Variable | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Every exported `…Settings` schema below a folder, with the source file it is written in. */
async function settingsSchemas(folder) {
  const found = [];
  for (const path of configFiles(folder)) {
    const exported = await import(pathToFileURL(join(folder, path)).href);
    for (const [name, schema] of Object.entries(exported)) {
      if (/settings(schema)?$/i.test(name) && schema?.shape)
        found.push({ source: path.replace(/\.js$/, '.ts'), schema });
    }
  }
  return found;
}

/** A part that a larger schema takes in whole is told there: an operator sets processes, not parts. */
function isTakenIn(part, all) {
  const names = Object.keys(part.schema.shape);
  return all.some(
    ({ schema }) =>
      Object.keys(schema.shape).length > names.length && names.every((name) => name in schema.shape),
  );
}

/**
 * The settings of every process as Markdown: one table for each exported `…Settings` schema of a compiled
 * `*.config.js` below `folder`.
 * @throws Error when a setting has no description.
 */
export async function settingsTables(folder) {
  const all = await settingsSchemas(folder);
  return all
    .filter((part) => !isTakenIn(part, all))
    .map(({ source, schema }) => {
      const title = basename(source, '.config.ts').replaceAll('-', ' ');
      return `### ${title}\n\nRead in [\`${source}\`](../${source}).\n\n${tableOf(schema, source)}`;
    })
    .join('\n\n');
}
