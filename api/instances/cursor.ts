import { z } from 'zod';

/** A place in a list: the values of its order, as the row before has them. Opaque to clients. */
export type CursorParts = readonly (string | number)[];

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const LARGEST_NUMBER = 2_147_483_647;

/** The text of a place: a time first, then what orders rows of the same time. */
export function writeCursor(parts: CursorParts): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The place that a text of `writeCursor` names. @throws Error when it is none; ask `isCursor` before */
export function readCursor(text: string): CursorParts {
  const parts = parse(text);
  if (!parts) throw new Error('the cursor names no place in a list; take the next_cursor of a page');
  return parts;
}

/** True for a text of `writeCursor`, whichever list it is of. */
export function isCursor(text: string): boolean {
  return parse(text) !== null;
}

/** A cursor in a query. */
export const cursorValue = z
  .string()
  .max(500)
  .refine(isCursor, 'Must be the next_cursor of the page before')
  .describe('next_cursor of the page before');

function parse(text: string): CursorParts | null {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    // No JSON: not one of ours, as the answer says.
    return null;
  }
  return isPlace(parts) ? parts : null;
}

function isPlace(parts: unknown): parts is CursorParts {
  if (!Array.isArray(parts) || parts.length < 2 || parts.length > 3) return false;
  const [time, id, number = 0] = parts as unknown[];
  return isTime(time) && isId(id) && isNumber(number);
}

const isTime = (time: unknown) =>
  typeof time === 'string' && TIME.test(time) && !Number.isNaN(Date.parse(time));
const isId = (id: unknown) => typeof id === 'string' && id.isWellFormed() && !id.includes('\0');
const isNumber = (number: unknown) =>
  Number.isInteger(number) && (number as number) >= 0 && (number as number) <= LARGEST_NUMBER;
