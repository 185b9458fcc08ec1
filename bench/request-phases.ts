import type { ProofHub } from '../prove/proof-hub.js';
import { percentile } from '../prove/proof.js';

/** When a client saw what; epoch ms. */
export interface ClientTimes {
  readonly id: number;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly toldAt: number;
  readonly readAt: number;
}

interface RowTimes {
  readonly id: number;
  readonly created: number;
  readonly begun: number;
  readonly granted: number;
  readonly started: number;
  readonly computed: number;
}

/** Seconds of the database's clock, which is this machine's, as epoch ms. */
const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

async function readRowTimes(hub: ProofHub, ids: readonly number[]): Promise<Map<number, RowTimes>> {
  const rows = await hub.rows<RowTimes>(
    `select r.id::int, ${ms('r.created_at')} as created, ${ms('l.requested_at')} as begun, ${ms('l.granted_at')} as granted,
       ${ms('r.job_submitted_at')} as started, ${ms('r.processed_at')} as computed
     from work_request r join instance_lease l on l.request_id = r.id and l.run_key = r.run_key
     where r.id = any($1::bigint[]) and l.slice = 0`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

const phases: readonly [what: string, from: (times: ClientTimes & RowTimes) => number][] = [
  ['POST sent → row written', ({ sentAt, created }) => created - sentAt],
  ['row written → workflow begins', ({ created, begun }) => begun - created],
  ['begin: claim and grant', ({ begun, granted }) => granted - begun],
  ['granted → work starts (2nd step)', ({ granted, started }) => started - granted],
  ['read molecules, call the model', ({ started, computed }) => computed - started],
  ['store, complete, tell the client', ({ computed, toldAt }) => toldAt - computed],
  ['client reads the result', ({ toldAt, readAt }) => readAt - toldAt],
  ['(the POST itself)', ({ sentAt, answeredAt }) => answeredAt - sentAt],
];

/** Where the time goes: for each phase p50, p99 and mean, ms. */
export async function describePhases(hub: ProofHub, clients: readonly ClientTimes[]): Promise<string[]> {
  const rows = await readRowTimes(
    hub,
    clients.map(({ id }) => id),
  );
  const times = clients.flatMap((client) => {
    const row = rows.get(client.id);
    return row ? [{ ...client, ...row }] : [];
  });
  return phases.map(([what, length]) => {
    const lengths = times.map(length);
    const mean = lengths.reduce((sum, one) => sum + one, 0) / lengths.length;
    const figures = [percentile(lengths, 0.5), percentile(lengths, 0.99), mean].map((figure) =>
      figure.toFixed(1).padStart(8),
    );
    return `${what.padEnd(34)}${figures.join('')}`;
  });
}

/** Shows a table under a title. */
export function showTable(
  say: (what: string, value: string) => void,
  title: string,
  lines: readonly string[],
): void {
  say(title.padEnd(36), ['p50', 'p99', 'mean'].map((head) => head.padStart(8)).join(''));
  for (const line of lines) say('  ', line);
}
