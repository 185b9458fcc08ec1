import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { parse } from 'csv-parse';
import { HubClient } from '../test/support/hub-client.js';
import { KNOWN_TOLERANCE, knownMolecules } from './known-values.js';
import { MemoryWatch } from './memory-watch.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { type Proof, type ProofContext, seededRandom } from './proof.js';
import type { ResultRow } from './reference.js';
import { differentMolecules, heavyAtoms, invalidTexts } from './sample-molecules.js';

const MEMORY_LIMIT_BYTES = 500_000_000;
const WATCHED = ['api', 'worker'];
const BITS = 2048;

/** Requests as long as the hub takes them: nothing is lost, nothing changes places, memory stays flat. */
export const largeRequests: Proof = {
  name: 'main-2',
  title: '100,000 molecules to eos-physchem and 5,000 to eos-morgan come back in order, in flat memory',
  async run(context) {
    const hub = await startProofHub({ models: [], warmSeconds: 60 });
    try {
      const client = await HubClient.asGuest(hub.stack.url);
      const memory = new MemoryWatch(() => hub.stack.processes);
      try {
        await proveRequest(context, client, 'eos-physchem', context.small ? 2_500 : 100_000, physchemFault);
        await proveRequest(context, client, 'eos-morgan', context.small ? 250 : 5_000, morganFault);
      } finally {
        claimMemory(context, hub, memory);
      }
    } finally {
      await hub.stop();
    }
  },
};

/** Row numbers are carried through as `compound`, so that a row that changed places shows. */
interface SentRow {
  readonly compound: string;
  readonly smiles: string;
  readonly valid: boolean;
}

/** What is wrong with a row's values; null when nothing is. */
type RowFault = (row: ResultRow, sent: SentRow) => string | null;

/** Different molecules, among them 1 % that are none, 1 % repetitions and, scattered, the known ones. */
function makeRows(count: number, seed: number): SentRow[] {
  const random = seededRandom(seed);
  const different = differentMolecules(count, seed);
  return different.map((fresh, index) => {
    const compound = `cmp-${seed}-${index}`;
    const dice = random();
    if (dice < 0.01)
      return { compound, smiles: invalidTexts[Math.floor(random() * invalidTexts.length)]!, valid: false };
    if (dice < 0.02 && index > 0)
      return { compound, smiles: different[Math.floor(random() * index)]!, valid: true };
    if (index < knownMolecules.length || dice < 0.021) {
      return { compound, smiles: knownMolecules[index % knownMolecules.length]!.smiles, valid: true };
    }
    return { compound, smiles: fresh, valid: true };
  });
}

async function proveRequest(
  context: ProofContext,
  client: HubClient,
  modelId: string,
  count: number,
  valuesFault: RowFault,
): Promise<void> {
  const { say, claim } = context;
  const sent = makeRows(count, context.seed);
  const csv = `compound,smiles\n${sent.map(({ compound, smiles }) => `${compound},${smiles}\n`).join('')}`;
  const startedAt = performance.now();
  const { id } = await client.submitBody(modelId, csv);
  const acceptedAt = performance.now();
  const finished = await client.untilFinished(id, 1_200_000, 250);
  const finishedAt = performance.now();
  const seconds = (finishedAt - startedAt) / 1000;
  say(`${modelId}: rows, MB sent`, `${count}, ${(csv.length / 1e6).toFixed(1)}`);
  say(`${modelId}: accepted after`, `${Math.round(acceptedAt - startedAt)} ms`);
  say(
    `${modelId}: computed after, rows per second`,
    `${seconds.toFixed(1)} s, ${Math.round(count / seconds)}`,
  );
  claim(
    `${modelId}: the request is COMPLETED`,
    finished.request_status === 'COMPLETED',
    finished.request_status_reason ?? undefined,
  );
  const invalid = sent.filter(({ valid }) => !valid).length;
  const { rows_done, rows_invalid, rows_failed } = finished.progress;
  claim(
    `${modelId}: the counts are right`,
    rows_done === count && rows_invalid === invalid && rows_failed === 0,
    `${rows_done} rows, ${rows_invalid} invalid, ${rows_failed} failed`,
  );
  const read = await readResult(client, id, sent, valuesFault);
  say(`${modelId}: read after`, `${((performance.now() - finishedAt) / 1000).toFixed(1)} s`);
  claim(`${modelId}: one row for each row sent`, read.rows === count, read.rows);
  claim(
    `${modelId}: every row in its place, with its own values`,
    read.faults.length === 0,
    read.faults.slice(0, 3).join('; ') || `${read.known} with known values`,
  );
}

async function readResult(
  client: HubClient,
  id: number,
  sent: readonly SentRow[],
  valuesFault: RowFault,
): Promise<{ rows: number; known: number; faults: string[] }> {
  const body = (await client.download(id)).body as ReadableStream<Uint8Array>;
  const records = Readable.fromWeb(body).pipe(parse({ columns: true }));
  const faults: string[] = [];
  const first = new Map<string, string>();
  let rows = 0;
  let known = 0;
  for await (const row of records as AsyncIterable<ResultRow>) {
    const own = sent[rows];
    rows += 1;
    if (!own) continue;
    const fault = rowFault(row, own) ?? (own.valid ? valuesFault(row, own) : null);
    const repeated = own.valid ? repeatFault(first, row, own) : null;
    if (fault ?? repeated) faults.push(`row ${rows}: ${fault ?? repeated}`);
    if (knownMolecules.some(({ smiles }) => smiles === own.smiles)) known += 1;
  }
  return { rows, known, faults };
}

const inchiKey = /^[A-Z]{14}-[A-Z]{10}-[A-Z]$/;

function rowFault(row: ResultRow, { compound, smiles, valid }: SentRow): string | null {
  if (row.compound !== compound) return `it is ${row.compound}, not ${compound}`;
  if (row.input !== smiles) return `its input is ${row.input}, not ${smiles}`;
  if (row.status !== (valid ? 'ok' : 'invalid')) return `${smiles} is ${row.status}`;
  if (valid) return inchiKey.test(row.key!) ? null : `${smiles} has the key ${row.key}`;
  const { compound: _, input: __, status: ___, ...values } = row;
  return Object.values(values).every((value) => value === '') ? null : 'an invalid row has values';
}

/** The same molecule must get the same values wherever it stands. Only the known ones are remembered. */
function repeatFault(first: Map<string, string>, row: ResultRow, { smiles }: SentRow): string | null {
  if (!knownMolecules.some((molecule) => molecule.smiles === smiles)) return null;
  const { compound: _, ...values } = row;
  const text = JSON.stringify(values);
  if (!first.has(smiles)) first.set(smiles, text);
  return first.get(smiles) === text ? null : `${smiles} has other values than before`;
}

/** Every row's heavy atoms are counted on its text; the known molecules are compared in all values. */
function physchemFault(row: ResultRow, { smiles }: SentRow): string | null {
  if (Number(row.NumHeavyAtoms) !== heavyAtoms(smiles))
    return `${smiles} has ${heavyAtoms(smiles)} heavy atoms, not ${row.NumHeavyAtoms}`;
  const known = knownMolecules.find((molecule) => molecule.smiles === smiles);
  if (!known) return null;
  if (row.key !== known.key) return `${known.name} has the key ${row.key}`;
  const wrong = Object.entries(known.values).find(
    ([column, value]) => !(Math.abs(Number(row[column]) - value) <= KNOWN_TOLERANCE),
  );
  return wrong ? `${known.name}: ${wrong[0]} is ${row[wrong[0]]}, not ${wrong[1]}` : null;
}

/** A fingerprint has 2,048 bits; each atom sets at most one for every radius from 0 to 2. */
function morganFault(row: ResultRow, { smiles }: SentRow): string | null {
  let set = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const value = row[`bit_${String(bit).padStart(4, '0')}`];
    if (value === '1') set += 1;
    else if (value !== '0') return `bit ${bit} is ${value}`;
  }
  return set > 0 && set <= 3 * heavyAtoms(smiles) ? null : `${smiles} has ${set} bits`;
}

function claimMemory({ say, claim }: ProofContext, hub: ProofHub, memory: MemoryWatch): void {
  const { peaks, samples } = memory.close();
  say('resident memory read', `${samples} times`);
  for (const [name, bytes] of peaks) say(`peak of ${name}`, `${Math.round(bytes / 1e6)} MB`);
  for (const name of WATCHED) {
    const peak = peaks.get(name) ?? Number.NaN;
    claim(`${name} stays under 500 MB`, peak < MEMORY_LIMIT_BYTES, `${Math.round(peak / 1e6)} MB`);
  }
  claim('no process died', !hub.stack.output.includes('starting it again'));
}
