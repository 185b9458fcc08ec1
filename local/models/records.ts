/** Computes the records of some texts, one JSON text each, in order. */
export type ComputeRecords = (texts: readonly string[], signal: AbortSignal) => Promise<readonly string[]>;

/** Rows computed at a time: 25 ms of work, and 0.6 MB of a model with 2,048 columns. */
const rowsPerChunk = 25;

/** The answer to a call as JSON text, piece by piece: the next piece is computed when the last one was taken. */
export async function* recordChunks(
  texts: readonly string[],
  compute: ComputeRecords,
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield '[';
  for (let first = 0; first < texts.length; first += rowsPerChunk) {
    const records = await compute(texts.slice(first, first + rowsPerChunk), signal);
    yield (first === 0 ? '' : ',') + records.join(',');
  }
  yield ']';
}
