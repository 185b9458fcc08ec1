/** Half a sentence, as the hub gives reasons, made whole: a capital first, a full stop last. */
export function asSentence(text: string): string {
  const start = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(start) ? start : `${start}.`;
}
