import { HubClient } from '../test/support/hub-client.js';
import { percentile } from '../prove/proof.js';
import { type ProofHub, startProofHub } from '../prove/proof-hub.js';

export const MODEL = 'eos-physchem';
/** What every measured request holds: an ordinary small one. */
export const ENTRIES = ['CC(=O)Oc1ccccc1C(=O)O', 'Cn1c(=O)c2c(ncn2C)n(C)c1=O', 'CC(=O)Nc1ccc(O)cc1'];
const WARMING_REQUESTS = 40;
/** All the model may have, and all of them up: an instance that starts meanwhile would be measured instead. */
const WARM_INSTANCES = 8;
const MODEL_CALLS = 50;
const FINISH_MS = 60_000;

/** A hub whose model is warm. */
export interface WarmHub {
  readonly hub: ProofHub;
  readonly client: HubClient;
  /** Time the model's server itself takes for these rows, ms: the median of direct calls. */
  readonly modelMs: number;
  /** The result that every measured request must have. */
  readonly expected: string;
}

/** Runs `work` on a hub whose instances are up and whose short path is known. */
export async function withWarmHub<Result>(work: (warm: WarmHub) => Promise<Result>): Promise<Result> {
  const hub = await startProofHub({ models: [], warmSeconds: 600 });
  try {
    await hub.rows('update model set max_instances = $1', [WARM_INSTANCES]);
    const client = await HubClient.asGuest(hub.stack.url);
    let last = 0;
    for (let round = 0; round < WARMING_REQUESTS; round += WARM_INSTANCES) {
      const sent = await Promise.all(
        Array.from({ length: WARM_INSTANCES }, () => client.submitEntries(MODEL, ENTRIES, false)),
      );
      for (const { id } of sent) await client.untilFinished((last = id), FINISH_MS, 10);
    }
    const expected = await (await client.download(last)).text();
    return await work({ hub, client, expected, modelMs: await measureModel(hub) });
  } finally {
    await hub.stop();
  }
}

/** What the hub subtracts nothing of: the calls go past it, straight to an instance. */
async function measureModel(hub: ProofHub): Promise<number> {
  const [instance] = await hub.rows<{ address: string }>(
    `select address from model_instance where model_id = $1 and state = 'ACTIVE' limit 1`,
    [MODEL],
  );
  if (!instance) throw new Error(`no instance of ${MODEL} is ready to be measured`);
  const took: number[] = [];
  for (let call = 0; call < MODEL_CALLS; call += 1) {
    const startedAt = performance.now();
    const response = await fetch(`http://${instance.address}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ENTRIES),
    });
    if (!response.ok) throw new Error(`${MODEL} answers ${response.status}`);
    await response.arrayBuffer();
    took.push(performance.now() - startedAt);
  }
  return percentile(took, 0.5);
}
