import type { InputVerdict } from '../domain/work-request/work-request.wire.js';
import { HubClient } from '../test/support/hub-client.js';
import { type InputForm, inputForms } from './input-forms.js';
import { KNOWN_TOLERANCE, knownMolecules } from './known-values.js';
import { startProofHub } from './proof-hub.js';
import type { Proof, ProofContext } from './proof.js';
import { readTable, type ResultRow } from './reference.js';

const MODEL = 'eos-physchem';
const FINISH_MS = 60_000;

/** Files as people have them: every row comes back, and the verdict says how the hub read it. */
export const inputFormsProof: Proof = {
  name: 'main-5',
  title: 'nine forms of input, as raw bodies and as entries: no row lost, the verdict right',
  async run(context) {
    const hub = await startProofHub({ models: [], warmSeconds: 60 });
    try {
      const client = await HubClient.asGuest(hub.stack.url);
      for (const form of inputForms) {
        const raw = await proveForm(context, client, form, 'raw body');
        const entries = await proveForm(context, client, form, 'entries');
        context.claim(`${form.title}: both ways give the same bytes`, raw === entries, `${raw.length} bytes`);
      }
    } finally {
      await hub.stop();
    }
  },
};

type Way = 'raw body' | 'entries';

/** @returns the result's CSV */
async function proveForm({ claim }: ProofContext, client: HubClient, form: InputForm, way: Way) {
  const title = `${form.title}, ${way}`;
  const checked = await check(client, form, way);
  const { id, verdict } = await submit(client, form, way);
  const request = await client.untilFinished(id, FINISH_MS, 20);
  const faults = [
    verdictFault('the check', checked, form),
    verdictFault('the request', verdict, form),
    verdictFault('the finished request', request.verdict, form),
  ].filter((fault) => fault !== null);
  claim(`${title}: the verdict is right`, faults.length === 0, faults[0]);
  claim(
    `${title}: it is COMPLETED`,
    request.request_status === 'COMPLETED',
    request.request_status_reason ?? undefined,
  );
  const table = await readTable(client, id);
  const fault = tableFault(table, form);
  claim(`${title}: every row is there with its values`, fault === null, fault ?? `${table.length} rows`);
  return (await client.download(id)).text();
}

/** Entries are the lines of the file. */
const entriesOf = ({ text }: InputForm) => text.replace(/\r?\n$/, '').split(/\r?\n/);

function submit(client: HubClient, form: InputForm, way: Way) {
  return way === 'raw body'
    ? client.submitBody(MODEL, form.text, form.mediaType)
    : client.submitEntries(MODEL, entriesOf(form));
}

async function check(client: HubClient, form: InputForm, way: Way): Promise<InputVerdict> {
  const json = JSON.stringify({ model_id: MODEL, request_payload: { entries: entriesOf(form) } });
  const response = await client.fetch(`/api/work-requests/check?model_id=${MODEL}`, {
    method: 'POST',
    headers: { 'content-type': way === 'raw body' ? form.mediaType : 'application/json' },
    body: way === 'raw body' ? form.text : json,
  });
  return (await response.json()) as InputVerdict;
}

function verdictFault(whose: string, verdict: InputVerdict | null, form: InputForm): string | null {
  if (!verdict) return `${whose} has none`;
  const said = [verdict.delimiter, verdict.header, verdict.column?.index, verdict.row_count];
  const right = [form.delimiter, form.header, form.column, form.rows.length];
  if (said.join() !== right.join()) return `${whose} says ${said.join(', ')} and not ${right.join(', ')}`;
  // A submission judges its molecules while it runs; only the check reads them at once.
  if (whose !== 'the check') return null;
  const { invalid, empty, duplicate } = form.counts ?? { invalid: 0, empty: 0, duplicate: 0 };
  const counted = [verdict.invalid_count, verdict.empty_count, verdict.duplicate_count];
  if (counted.join() !== [invalid, empty, duplicate].join())
    return `${whose} counts ${counted.join(', ')} invalid, empty, repeated`;
  const problemLines = verdict.problems.map(({ line }) => line).join();
  return problemLines === (form.problemLines ?? []).join() ? null : `${whose} names lines ${problemLines}`;
}

function tableFault(table: readonly ResultRow[], { rows }: InputForm): string | null {
  if (table.length !== rows.length) return `${table.length} rows, not ${rows.length}`;
  const faults = rows.map(([smiles, ...carried], index) => rowFault(table[index]!, smiles, carried));
  const first = faults.findIndex((fault) => fault !== null);
  return first === -1 ? null : `row ${first + 1}: ${faults[first]}`;
}

function rowFault(row: ResultRow, smiles: string, carried: readonly string[]): string | null {
  const cells = Object.values(row);
  const kept = cells.slice(1, 2 + carried.length);
  if (JSON.stringify(kept) !== JSON.stringify([smiles, ...carried]))
    return `it came back as ${JSON.stringify(kept)}`;
  const known = knownMolecules.find((molecule) => molecule.smiles === smiles);
  if (!known) return row.status === 'invalid' && row.amw === '' ? null : `"${smiles}" is ${row.status}`;
  if (row.key !== known.key || row.status !== 'ok')
    return `${known.name} has ${row.key} and is ${row.status}`;
  const wrong = Object.entries(known.values).find(
    ([column, value]) => !(Math.abs(Number(row[column]) - value) <= KNOWN_TOLERANCE),
  );
  return wrong ? `${known.name}: ${wrong[0]} is ${row[wrong[0]]}` : null;
}
