import { z } from 'zod';
import { Pod } from './pod.wire.js';

/** Maps whose keys are the user's and stay as they are. */
const mapsOfUsers = ['labels', 'annotations'];

const toCamel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The same value with the names of its fields in camelCase; labels and annotations keep theirs. */
export function toCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toCamelCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      toCamel(name),
      mapsOfUsers.includes(name) ? inner : toCamelCase(inner),
    ]),
  );
}

function camelSchema(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodNullable) return camelSchema(schema.unwrap() as z.ZodType).nullable();
  if (schema instanceof z.ZodArray) return z.array(camelSchema(schema.element as z.ZodType));
  if (!(schema instanceof z.ZodObject)) return schema;
  const fields = Object.entries(schema.shape as Record<string, z.ZodType>);
  return z.object(Object.fromEntries(fields.map(([name, inner]) => [toCamel(name), camelSchema(inner)])));
}

/** Pods as the routes below `/api/k8s` give them: in camelCase, unlike all others. */
export const PodList = z
  .object({ items: z.array(camelSchema(Pod).meta({ id: 'PodCamel' })) })
  .meta({ id: 'PodList' });
