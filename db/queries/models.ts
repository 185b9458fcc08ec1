import type { ModelDetailsInput } from '../../domain/model/model-input.wire.js';
import type { Sql } from '../database.js';
import { storableJson } from '../storable-text.js';

/** Channel that says "this model changed"; the payload is its id. A hint: it may be lost. */
export const MODEL_CHANNEL = 'hub_model';

/** A model as an admin states it. */
export interface StatedModel {
  readonly id: string;
  readonly enabled: boolean;
  readonly details: ModelDetailsInput;
}

/** Column -> place of its value; one order for both statements. */
const columns = [
  'enabled',
  'template_version',
  'description',
  'execution_mode',
  'image',
  'image_tag',
  'cpu_request_millicores',
  'cpu_limit_millicores',
  'memory_request_mebibytes',
  'memory_limit_mebibytes',
  'disable_memory_limit',
  'max_instances',
  'warm_seconds',
  'cache_enabled',
  'columns',
  'citation',
  'identification_details',
] as const;
type Column = (typeof columns)[number];

/** What an instance is made of: a change of these makes running instances outdated, a change of the rest does not. */
const madeOf: readonly Column[] = [
  'template_version',
  'image',
  'image_tag',
  'cpu_request_millicores',
  'cpu_limit_millicores',
  'memory_request_mebibytes',
  'memory_limit_mebibytes',
  'disable_memory_limit',
];

/** What may be left out, which keeps what is there. */
const optional: readonly Column[] = ['image', 'warm_seconds', 'columns', 'citation'];

function valuesOf({ enabled, details }: StatedModel): Readonly<Record<Column, unknown>> {
  const { k8s_resources: sizes, identification_details: identification } = details;
  return {
    enabled,
    template_version: details.template_version,
    description: details.description,
    execution_mode: details.execution_mode,
    image: details.image,
    image_tag: details.image_tag,
    cpu_request_millicores: sizes.cpu_request,
    cpu_limit_millicores: sizes.cpu_limit,
    memory_request_mebibytes: sizes.memory_request,
    memory_limit_mebibytes: sizes.memory_limit,
    disable_memory_limit: details.disable_memory_limit,
    max_instances: details.max_instances,
    warm_seconds: details.warm_seconds,
    cache_enabled: details.cache_enabled,
    columns: details.columns && storableJson(details.columns),
    citation: details.citation,
    identification_details: identification && storableJson(identification),
  };
}

/** Only what was stated: the rest keeps its value, or has the table's. */
function stated(model: StatedModel): { names: Column[]; values: unknown[] } {
  const values = valuesOf(model);
  const names = columns.filter((name) => values[name] !== undefined || !optional.includes(name));
  return { names, values: names.map((name) => values[name]) };
}

/** @returns false when there is a model of this id already */
export async function insertModel(sql: Sql, model: StatedModel): Promise<boolean> {
  const details = { ...model.details, image: model.details.image ?? `ersiliaos/${model.id}` };
  const { names, values } = stated({ ...model, details });
  const places = names.map((_, index) => `$${index + 2}`);
  const rows = await sql.rows(
    `insert into model (id, ${names.join(', ')}) values ($1, ${places.join(', ')})
     on conflict (id) do nothing returning id, pg_notify('${MODEL_CHANNEL}', id)::text`,
    [model.id, ...values],
  );
  return rows.length > 0;
}

/**
 * Writes a model anew. Every change makes a new revision: the next claim starts instances of it. Those of the revision
 * before are lent again only when nothing changed of what they are made of: then they are of the new one. Must run under
 * `lockClaims`, so that none is lent or started meanwhile.
 * @param revision the revision the change was made from, or null to change whatever is there
 * @returns false when there is no such model, or no longer of that revision
 */
export async function updateModel(sql: Sql, model: StatedModel, revision: number | null): Promise<boolean> {
  const { names, values } = stated(model);
  const assignments = names.map((name, index) => `${name} = $${index + 3}`);
  const [changed] = await sql.rows<{ was: number; is: number; is_made_alike: boolean }>(
    `update model set ${assignments.join(', ')}, revision = revision + 1, last_updated = now()
      where id = $1 and ($2::integer is null or revision = $2)
     returning old.revision as was, new.revision as is, pg_notify('${MODEL_CHANNEL}', id)::text,
       (${madeOf.map((name) => `old.${name}`).join(', ')}) is not distinct from
       (${madeOf.map((name) => `new.${name}`).join(', ')}) as is_made_alike`,
    [model.id, revision, ...values],
  );
  if (changed?.is_made_alike)
    await sql.rows(
      `update model_instance set model_revision = $3
        where id in (select id from model_instance
          where model_id = $1 and model_revision = $2 and state <> 'TERMINATED' order by id for update)`,
      [model.id, changed.was, changed.is],
    );
  return changed !== undefined;
}
