/** Quantities carry their unit in the name: `…Bytes`, `…Millicores`, `…Seconds`, `…Ms`. These are the only factors. */
const BYTES_PER_MEBIBYTE = 1024 * 1024;
export const MS_PER_SECOND = 1000;

/** Mebibytes as the wire and the model table have them, to bytes as rules and hosts have them. */
export function mebibytesToBytes(mebibytes: number): number {
  return Math.round(mebibytes * BYTES_PER_MEBIBYTE);
}

/** Bytes to mebibytes, rounded up: a limit must never shrink by conversion. */
export function bytesToMebibytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_MEBIBYTE);
}
