import { createHash } from 'node:crypto';

/** Which hub an object belongs to: a hub sees and touches nothing that does not carry its own name. */
export const HUB_LABEL = 'ersilia.hub';
export const INSTANCE_LABEL = 'ersilia.instanceid';
export const MODEL_LABEL = 'ersilia.modelid';

const LONGEST_LABEL_VALUE = 63;
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const HASH_LENGTH = 10;

/** The text itself where a label may hold it; else its readable part and a hash, so that two texts stay two values. */
export function toLabelValue(text: string): string {
  if (text.length <= LONGEST_LABEL_VALUE && LABEL_VALUE.test(text)) return text;
  return withHash(text, text.replace(/[^A-Za-z0-9]+/g, '-'), LONGEST_LABEL_VALUE);
}

/** `readable` cut so that a hash of `text` fits behind it. */
export function withHash(text: string, readable: string, longest: number): string {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
  const start = readable.replace(/^-+/, '').slice(0, longest - HASH_LENGTH - 1);
  return start === '' ? hash : `${start}-${hash}`;
}
