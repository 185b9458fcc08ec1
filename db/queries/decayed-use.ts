import { USAGE_HALF_LIFE_SECONDS } from '../../domain/claim/order-claims.js';

/** Nothing that counts is left after so many; what is too small for a number, Postgres refuses to compute. */
const MOST_HALF_LIVES = 100;

/**
 * What is left now of the use that a row of `user_usage` holds, in seconds of instance time.
 * @param row name of the row in the statement
 */
export const decayedUse = (row: string): string =>
  `${row}.decayed_seconds * power(0.5, least(${MOST_HALF_LIVES},
     greatest(0, extract(epoch from clock_timestamp() - ${row}.as_of)) / ${USAGE_HALF_LIFE_SECONDS})::float8)`;
