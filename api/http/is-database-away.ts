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
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error/;

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly cause: unknown;
  /** Of an AggregateError: one for each address that was tried. */
  readonly errors: readonly unknown[];
}

/** True for errors that mean "Postgres is not there just now" and not "this statement is wrong". */
export function isDatabaseAway(error: unknown): boolean {
  const { code = '', message = '', cause, errors = [] } = (error ?? {}) as Partial<Fault>;
  if (networkCodes.includes(code) || stateClasses.some((pattern) => pattern.test(code))) return true;
  if (messages.test(message) || errors.some(isDatabaseAway)) return true;
  return cause !== undefined && isDatabaseAway(cause);
}
