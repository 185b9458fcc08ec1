import { mostAtOnce } from './count-overlaps.js';
import type { ProofHub } from './proof-hub.js';
import type { ProofContext } from './proof.js';

/** How many instances there may be at once: of each of these models, and in all. */
export interface InstanceLimits {
  readonly models: readonly string[];
  readonly ofOne: number;
  readonly inAll: number;
}

/** Claims the limits at every moment: by the instances' own events and, told by other statements, by their rows. */
export async function claimLimits(
  { say, claim }: ProofContext,
  hub: ProofHub,
  limits: InstanceLimits,
): Promise<void> {
  const byEvents = await hub.rows<InstanceSpan>(
    `select i.model_id, extract(epoch from min(e.at) filter (where e.type = 'INSTANCE_REQUESTED'))::float8 as start,
       extract(epoch from max(e.at) filter (where e.type = 'INSTANCE_TERMINATED'))::float8 as end
     from instance_event e join model_instance i on i.expires_on = e.expires_on and i.id = e.instance_id
     group by i.id, i.model_id`,
  );
  const byRows = await hub.rows<InstanceSpan>(
    `select model_id, extract(epoch from created_at)::float8 as start,
       extract(epoch from terminated_at)::float8 as end from model_instance`,
  );
  say('instances started', byRows.length);
  for (const [source, spans] of [
    ['events', byEvents],
    ['rows', byRows],
  ] as const) {
    const most = mostAtOnce(spans);
    claim(
      `never more than ${limits.inAll} instances, by ${source}`,
      most <= limits.inAll && spans.length > 0,
      `${most} at most`,
    );
    const each = limits.models.map((modelId) =>
      mostAtOnce(spans.filter(({ model_id }) => model_id === modelId)),
    );
    claim(
      `never more than ${limits.ofOne} of a model, by ${source}`,
      Math.max(...each) <= limits.ofOne,
      each.join(', '),
    );
  }
}

interface InstanceSpan {
  readonly model_id: string;
  readonly start: number;
  readonly end: number | null;
}
