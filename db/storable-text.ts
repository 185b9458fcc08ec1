/**
 * Text as Postgres can hold it: NUL and halves of letters, which models and hosts may send, become U+FFFD. A write that
 * failed for them would fail at every retry.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** A value as text of a `jsonb` parameter, with storable texts and names. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'string') return storableText(part);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [storableText(name), inner]));
  });
}
