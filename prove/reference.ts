import { parse } from 'csv-parse/sync';
import type { HubClient } from '../test/support/hub-client.js';

/** A row of a result table by column. */
export type ResultRow = Readonly<Record<string, string>>;

/** What a model must answer to a text; null when the text can't be one of its inputs. */
export type Expectation = (text: string) => ResultRow | null;

/** The `good` test models answer what anyone can say. */
export const expectedOfCounter: Expectation = (text) => ({ length: String(text.length), echo: text });

/** Published values that anchor what the undisturbed hub answers (average mass, polar surface, logP), within 0.001. */
const published: readonly [smiles: string, amw: number, tpsa: number, logP: number][] = [
  ['CC(=O)Oc1ccccc1C(=O)O', 180.159, 63.6, 1.3101],
  ['Cn1c(=O)c2c(ncn2C)n(C)c1=O', 194.194, 61.82, -1.0293],
  ['CC(=O)Nc1ccc(O)cc1', 151.165, 49.33, 1.3506],
  ['CC(C)Cc1ccc(cc1)C(C)C(=O)O', 206.285, 37.3, 3.0732],
  ['C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4', 282.336, 53.99, 2.3949],
];
const tolerance = 0.001;

/** Well known molecules and a family of chains, each different from all others. */
export const molecules: readonly string[] = [
  ...published.map(([smiles]) => smiles),
  ...Array.from({ length: 25 }, (_, index) => `${'C'.repeat(index + 1)}O`),
];

/** Reads a request's result table. */
export async function readTable(client: HubClient, id: number): Promise<ResultRow[]> {
  const text = await (await client.download(id)).text();
  return parse(text, { columns: true, bom: true });
}

/** What a model answers to every molecule while nothing disturbs it. */
export async function learnReference(client: HubClient, modelId: string): Promise<Expectation> {
  const { id } = await client.submitEntries(modelId, molecules, false);
  const finished = await client.untilFinished(id, 60_000);
  if (finished.request_status !== 'COMPLETED')
    throw new Error(`the undisturbed request failed: ${finished.request_status_reason}`);
  const table = await readTable(client, id);
  const known = new Map(molecules.map((smiles, index) => [smiles, table[index]!]));
  return (text) => known.get(text) ?? null;
}

/** Names of molecules whose values are not the published ones. */
export function unlikePublished(reference: Expectation): string[] {
  return published
    .filter(([smiles, ...values]) => {
      const row = reference(smiles);
      return ['amw', 'tpsa', 'CrippenClogP'].some(
        (column, index) => !(Math.abs(Number(row?.[column]) - values[index]!) <= tolerance),
      );
    })
    .map(([smiles]) => smiles);
}

/** The first difference between a result and what it must be; null when there is none. */
export function firstDifference(
  table: readonly ResultRow[],
  entries: readonly string[],
  expect: Expectation,
): string | null {
  if (table.length !== entries.length) return `${table.length} rows for ${entries.length} entries`;
  for (const [index, entry] of entries.entries()) {
    const row = table[index]!;
    if (row.input !== entry) return `row ${index} is for "${row.input}" and not "${entry}"`;
    const expected = expect(entry);
    if (expected === null) {
      if (row.status !== 'invalid') return `row ${index} ("${entry}") is ${row.status}, not invalid`;
      continue;
    }
    if (row.status !== 'ok') return `row ${index} ("${entry}") is ${row.status}, not ok`;
    for (const [column, value] of Object.entries(expected))
      if (row[column] !== value) return `row ${index}: ${column} is ${row[column]}, not ${value}`;
  }
  return null;
}
