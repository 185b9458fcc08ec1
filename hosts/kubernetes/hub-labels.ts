import { createHash } from 'node:crypto';

/** The name of the hub that an object belongs to. */
export const HUB_LABEL = 'ersilia.hub';
/** Which of the hubs of that name: the id that its database was given when it was made. */
const HUB_ID_LABEL = 'ersilia.hub-id';
export const INSTANCE_LABEL = 'ersilia.instanceid';
export const MODEL_LABEL = 'ersilia.modelid';

/** What tells one hub from all others. A name alone does not: every hub has the same one until somebody sets another. */
export interface HubIdentity {
  readonly name: string;
  readonly id: string;
}

/** The labels of whatever belongs to the hub: it sees and touches nothing that does not carry all of them. */
export function ownLabels({ name, id }: HubIdentity): Readonly<Record<string, string>> {
  return { [HUB_LABEL]: toLabelValue(name), [HUB_ID_LABEL]: toLabelValue(id) };
}

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
