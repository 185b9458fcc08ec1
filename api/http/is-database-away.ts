/** Codes of Node when a connection can't be made or breaks. */
const networkCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
];

/** SQLSTATE classes: connection exception, operator intervention (restart, cancel), resources, read-only standby. */
const stateClasses = [/^08/, /^57P/, /^57014$/, /^53/, /^25006$/, /^58/];
const messages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** True for errors that mean "Postgres is not there just now" and not "this statement is wrong". */
export function isDatabaseAway(error: unknown): boolean {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth++) {
    if (inner instanceof AggregateError && inner.errors.some(isDatabaseAway)) return true;
    const code = 'code' in inner ? String(inner.code) : '';
    if (networkCodes.includes(code) || stateClasses.some((pattern) => pattern.test(code))) return true;
    if (messages.test(inner.message)) return true;
  }
  return false;
}
