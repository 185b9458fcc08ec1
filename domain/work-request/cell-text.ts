/** What a cell's text looks like, decided without chemistry: cheap tests that spare asking it. */

/** Column names that mean SMILES, best first; compared without case, blanks and hyphens taken as underscores. */
const SMILES_COLUMN_NAMES = ['smiles', 'canonical_smiles', 'can_smiles', 'input', 'structure'] as const;

/** Above this a text is no evidence of anything: no model takes such a molecule and parsing it may be slow. */
const LONGEST_EVIDENCE = 5_000;

const INCHI_KEY = /^[A-Z]{14}-[A-Z]{10}-[A-Z]$/;
/** Each digit has one way to be read: with two, a cell of 100,000 digits and a letter would take half a minute. */
const PLAIN_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const SMILES_TOKENS = /^(?:\[[^[\]\s]+\]|Cl|Br|[BCNOPSFIbcnops*]|[-=#$:/\\.~<>()]|\d|%\d\d|%\(\d{1,5}\))+$/;
const ATOM = /[A-Za-z*[]/;

/** Rank of a column name among the known ones (0 is best), or -1. */
export function smilesNameRank(name: string): number {
  const plain = name.trim().toLowerCase().replace(/[\s-]/g, '_');
  return SMILES_COLUMN_NAMES.findIndex((known) => known === plain);
}

/** True for a standard InChIKey, which some SMILES parsers might otherwise half understand. */
export function isInchiKey(text: string): boolean {
  return INCHI_KEY.test(text);
}

/** True for a decimal number with a point, sign and exponent allowed. */
export function isPlainNumber(text: string): boolean {
  return PLAIN_NUMBER.test(text);
}

/**
 * True if the text up to its first blank consists of SMILES tokens with an atom among them. Every valid SMILES passes,
 * so a text that fails need not be shown to chemistry; much that passes is no molecule.
 */
export function looksLikeSmiles(text: string): boolean {
  const trimmed = text.trim();
  const blank = trimmed.search(/\s/);
  const token = blank === -1 ? trimmed : trimmed.slice(0, blank);
  if (token.length > LONGEST_EVIDENCE) return false;
  return SMILES_TOKENS.test(token) && ATOM.test(token);
}

/** True if the text is one SMILES, alone or with its extension in bars (`CCO |c:1,2|`), and nothing else. */
export function isSmilesAlone(text: string): boolean {
  const trimmed = text.trim();
  const blank = trimmed.search(/\s/);
  if (blank === -1) return looksLikeSmiles(trimmed);
  const rest = trimmed.slice(blank).trim();
  return (
    rest.length > 1 &&
    rest.startsWith('|') &&
    rest.indexOf('|', 1) === rest.length - 1 &&
    looksLikeSmiles(trimmed)
  );
}

/**
 * Splits a line of a `.smi` file: SMILES (with its extension in bars, if any), then at the first blank the name, which
 * is the rest of the line. A line without a name gives one cell.
 */
export function splitSmilesLine(line: string): string[] {
  const trimmed = line.trim();
  const blank = trimmed.search(/[ \t]/);
  if (blank === -1) return [trimmed];
  const rest = trimmed.slice(blank).trimStart();
  const bar = rest.startsWith('|') ? rest.indexOf('|', 1) : -1;
  if (bar === -1) return [trimmed.slice(0, blank), rest];
  const end = trimmed.length - rest.length + bar + 1;
  const name = trimmed.slice(end).trimStart();
  return name === '' ? [trimmed] : [trimmed.slice(0, end), name];
}

/** The text as it may stand inside a sentence: at most 40 characters. */
export function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
