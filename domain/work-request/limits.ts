/** Bounds of what a work request may bring and what one step may hold. Sizes are bytes unless the name says otherwise. */

/** Rows of one request when the settings say nothing else: an ordinary screening library, minutes of work for a fast model. */
export const DEFAULT_MAX_ROWS = 100_000;

/** A JSON body is parsed whole, so it must fit in memory several times over. */
export const MAX_JSON_BODY_BYTES = 8 * 1024 * 1024;

/** A raw body is streamed; the bound is on what one request may store: a million rows of ordinary length. */
export const MAX_RAW_BODY_BYTES = 50 * 1024 * 1024;

/** Entries echoed in a request's payload; above it clients read the input from its own route. */
export const MAX_SHOWN_ENTRIES = 1_000;

/** Rows on which delimiter, header and SMILES column are judged at most: enough to be sure, few enough to parse in a moment. */
export const JUDGED_ROWS = 1_000;

/**
 * UTF-16 units of the judged rows, one more for each cell: until the last of them has come they are held, by every upload
 * that is on its way. Ordinary rows stay far below.
 */
export const JUDGED_LENGTH = 2 * 1024 * 1024;

/** Characters held back at most before the delimiter is decided: the judged rows at 256 each. */
export const JUDGED_CHARACTERS = 256 * 1024;

/** Longest record in UTF-16 units; only a quote that was never closed makes a longer one. */
export const MAX_RECORD_LENGTH = 1024 * 1024;

/** Columns of an input; a spreadsheet of descriptors has hundreds, a mistaken delimiter makes thousands. */
export const MAX_INPUT_COLUMNS = 1_000;

/** Rows per shard: the unit of retry, about a second of a fast model's work. */
export const SHARD_MAX_ROWS = 1_000;

/** Input text per shard: one call's body stays small for any model server. */
export const SHARD_MAX_INPUT_BYTES = 256 * 1024;

/** Values (rows times the model's columns) per shard: about 1 MB of result, whatever the model's width. */
export const SHARD_MAX_VALUES = 200_000;

/**
 * Values taken from one answer of a model that did not declare its columns. A dense answer within the bounds on a
 * reply stays below; records that each bring other keys would otherwise multiply into a table that fits nowhere.
 */
export const MAX_ANSWER_VALUES = 5_000_000;

/** Problems listed per kind; the counts are always complete. */
export const MAX_LISTED_PROBLEMS = 50;
