/** Powers of ten of the decimal suffixes; binary ones follow by their order. */
const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?))$/;

/** A quantity of the cluster (`250m`, `1.5Gi`, `1e3`) as a number of its unit; null for what is none. */
export function readQuantity(text: string): number | null {
  const [, digits, exponent, suffix = ''] = QUANTITY.exec(text.trim()) ?? [];
  if (digits === undefined) return null;
  if (exponent !== undefined) return Number(`${digits}e${exponent}`);
  const binary = binarySuffixes.indexOf(suffix);
  if (binary >= 0) return Number(digits) * 1024 ** (binary + 1);
  return Number(`${digits}e${decimalExponents[suffix] ?? 0}`);
}

const secondsOf: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};
const DURATION = /^(?:(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g;

/** A duration of the cluster (`15.5s`, `1m0s`) in seconds; null for what is none. */
export function readDuration(text: string | null | undefined): number | null {
  if (text == null || !DURATION.test(text)) return null;
  return [...text.matchAll(DURATION_PART)].reduce(
    (sum, [, digits, unit = 's']) => sum + Number(digits) * (secondsOf[unit] ?? 0),
    0,
  );
}

/** CPU in whole millicores, rounded up as the cluster rounds; null for what is no quantity. */
export function readMillicores(text: string | null | undefined): number | null {
  const cores = text == null ? null : readQuantity(text);
  return cores === null ? null : Math.ceil(Number((cores * 1000).toFixed(6)));
}

/** Memory in whole bytes; null for what is no quantity. */
export function readBytes(text: string | null | undefined): number | null {
  const bytes = text == null ? null : readQuantity(text);
  return bytes === null ? null : Math.ceil(bytes);
}
