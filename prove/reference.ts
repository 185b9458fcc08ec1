import { parse } from 'csv-parse/sync';
import type { HubClient } from '../test/support/hub-client.js';
import { knownMolecules } from './known-values.js';

/** A row of a result table by column. */
export type ResultRow = Readonly<Record<string, string>>;

/** What a model must answer to a text; null when the text can't be one of its inputs. */
export type Expectation = (text: string) => ResultRow | null;

/** The `good` test models answer what anyone can say. */
export const expectedOfCounter: Expectation = (text) => ({ length: String(text.length), echo: text });

const tolerance = 0.001;

/** Well known molecules and a family of chains, each different from all others. */
export const molecules: readonly string[] = [
  ...knownMolecules.map(({ smiles }) => smiles),
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
  const differs = (seen: string | undefined, value: number) => !(Math.abs(Number(seen) - value) <= tolerance);
  return knownMolecules
    .filter(({ smiles, values }) => {
      const row = reference(smiles);
      return Object.entries(values).some(([column, value]) => differs(row?.[column], value));
    })
    .map(({ name }) => name);
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
