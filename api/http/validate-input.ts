import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { Refusal, type InputFault } from './refusal.js';

/** Where a value came from, as `loc` begins. */
export type InputPlace = 'body' | 'query' | 'path';

/** Faults named in one answer at most. */
const MAX_FAULTS = 100;
const LONGEST_ECHO = 200;

/**
 * The value as its schema has it.
 * @throws Refusal 422 that names every field at fault, also for text that Postgres or UTF-8 can't hold.
 */
export function validated<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: InputPlace,
): z.infer<Schema> {
  const parsed = schema.safeParse(place === 'query' ? withoutAbsent(value) : value, { reportInput: true });
  if (!parsed.success) {
    throw new Refusal(
      422,
      parsed.error.issues.slice(0, MAX_FAULTS).map((issue) => toFault(issue, place)),
    );
  }
  refuseBrokenText(parsed.data, [place]);
  return parsed.data;
}

/** Validates whatever a route declares with `{ schema }`. */
@Injectable()
export class InputValidation implements PipeTransform {
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (!(schema instanceof z.ZodType)) return value;
    const place = type === 'param' ? 'path' : type === 'query' ? 'query' : 'body';
    if (data === undefined) return validated(schema, value, place);
    return validated(z.object({ [data]: schema }), { [data]: value }, place)[data];
  }
}

/** Filters that a page cleared arrive as an empty text or as the word `undefined`: both mean "not given". */
function withoutAbsent(query: unknown): unknown {
  if (typeof query !== 'object' || query === null) return query;
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== '' && value !== 'undefined'),
  );
}

function toFault(issue: z.core.$ZodIssue, place: InputPlace): InputFault {
  const loc = [place, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  if (missing) return { type: 'missing', loc, msg: 'Field required' };
  return { type: issue.code ?? 'value_error', loc, msg: issue.message, ...echo(issue.input) };
}

/** What was sent, if it is short: never whole bodies. */
function echo(input: unknown): Pick<InputFault, 'input'> {
  if (typeof input === 'string') return input.length <= LONGEST_ECHO ? { input } : {};
  if (typeof input === 'number' || typeof input === 'boolean' || input === null) return { input };
  return {};
}

/** Postgres refuses NUL in text, and half a surrogate pair would be stored as another character. */
function refuseBrokenText(value: unknown, loc: readonly (string | number)[]): void {
  if (typeof value === 'string') {
    const fault = textFault(value);
    if (fault !== null) throw new Refusal(422, [{ type: 'string_unicode', loc, msg: fault }]);
  } else if (Array.isArray(value)) {
    value.forEach(
      (item, index) =>
        (typeof item === 'string' && textFault(item) === null) || refuseBrokenText(item, [...loc, index]),
    );
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) refuseBrokenText(inner, [...loc, key]);
  }
}

function textFault(text: string): string | null {
  if (text.includes('\0')) return 'The text holds a NUL character; remove it';
  return text.isWellFormed() ? null : 'The text holds half of a surrogate pair; it is not valid Unicode';
}
