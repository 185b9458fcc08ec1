import { delimiters, delimiterText } from './delimiters.js';
import type { Delimiter } from './delimiters.js';
import { isSmilesAlone, smilesNameRank } from './cell-text.js';
import { JUDGED_ROWS } from './limits.js';
import { TableReader } from './read-table.js';
import type { TableRecord } from './record-queue.js';

/** How the input is cut into cells, and why, in words for the user. */
export interface InputFormat {
  readonly delimiter: Delimiter;
  readonly because: string;
}

/** `hint`: a media type, or a delimiter by its name or character. `complete` is false when the sample was cut off inside the input. */
export interface FormatHints {
  readonly hint?: string | null;
  readonly complete?: boolean;
}

interface Trial {
  readonly delimiter: Delimiter;
  /** Share of records with a SMILES (or a known name at the top) in the best column, 0 to 1. */
  readonly smilesShare: number;
  /** Share of records that have the most frequent number of cells, if that is two or more, else 0. */
  readonly evenShare: number;
}

/** Media types that leave no choice. `text/csv` and `text/plain` do: both are used for anything. */
const DELIMITER_OF_MEDIA_TYPE: Readonly<Record<string, Delimiter>> = {
  'text/tab-separated-values': 'tab',
  'chemical/x-daylight-smiles': 'blank',
};

/** Order settles a tie: a tab is never part of a text by accident, a blank often is. */
const CANDIDATES = ['tab', 'comma', 'semicolon', 'blank'] as const;

/** Without any SMILES in sight, lines must agree this much on a number of cells before they are split. */
const EVEN_ENOUGH = 0.8;

const PIECE_LENGTH = 16 * 1024;

/**
 * Decides the delimiter from the first 1,000 records of a sample: the one that uncovers most SMILES; if none uncovers
 * more than the whole lines do, there is no delimiter; without any SMILES, the one that splits most evenly.
 */
export function detectFormat(sample: string, hints: FormatHints = {}): InputFormat {
  const given = givenDelimiter(hints.hint);
  if (given !== null) return { delimiter: given, because: `given by the caller (${given})` };
  const complete = hints.complete ?? true;
  const whole = tryDelimiter('none', sample, complete);
  const trials = CANDIDATES.map((delimiter) => tryDelimiter(delimiter, sample, complete));
  const best = trials.reduce((left, right) => (isBetter(right, left) ? right : left));
  if (best.smilesShare > whole.smilesShare)
    return { delimiter: best.delimiter, because: `split at each ${best.delimiter}, one column holds SMILES` };
  if (whole.smilesShare > 0) return { delimiter: 'none', because: 'whole lines are SMILES' };
  const even = trials.filter((trial) => trial.delimiter !== 'blank' && trial.evenShare >= EVEN_ENOUGH);
  const [first] = even.sort((left, right) => right.evenShare - left.evenShare);
  if (first === undefined) return { delimiter: 'none', because: 'no delimiter splits the lines evenly' };
  return { delimiter: first.delimiter, because: `each ${first.delimiter} splits the lines evenly` };
}

function givenDelimiter(hint: string | null | undefined): Delimiter | null {
  if (hint === null || hint === undefined) return null;
  const delimiter = delimiters.find(
    (known) => known === hint || (hint !== '' && delimiterText[known] === hint),
  );
  if (delimiter !== undefined) return delimiter;
  const mediaType = hint.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return DELIMITER_OF_MEDIA_TYPE[mediaType] ?? null;
}

function isBetter(trial: Trial, than: Trial): boolean {
  if (trial.smilesShare !== than.smilesShare) return trial.smilesShare > than.smilesShare;
  return trial.evenShare > than.evenShare && trial.delimiter !== 'blank';
}

function tryDelimiter(delimiter: Delimiter, sample: string, complete: boolean): Trial {
  const records = readSample(delimiter, sample, complete).filter(
    (record) => record.cells.length > 1 || record.cells[0]?.trim() !== '',
  );
  return { delimiter, smilesShare: smilesShare(records), evenShare: evenShare(records) };
}

function readSample(delimiter: Delimiter, sample: string, complete: boolean): TableRecord[] {
  const reader = new TableReader(delimiter, { maxRecords: JUDGED_ROWS });
  const records: TableRecord[] = [];
  for (let at = 0; at < sample.length && reader.recordCount < JUDGED_ROWS; at += PIECE_LENGTH)
    records.push(...reader.push(sample.slice(at, at + PIECE_LENGTH)));
  if (complete && reader.recordCount < JUDGED_ROWS) records.push(...reader.end());
  return records;
}

function smilesShare(records: readonly TableRecord[]): number {
  const hits = new Map<number, number>();
  records.forEach(({ cells }, row) =>
    cells.forEach((cell, column) => {
      const hit = isSmilesAlone(cell) || (row === 0 && smilesNameRank(cell) !== -1);
      if (hit) hits.set(column, (hits.get(column) ?? 0) + 1);
    }),
  );
  const most = [...hits.values()].reduce((left, right) => Math.max(left, right), 0);
  return records.length === 0 ? 0 : most / records.length;
}

function evenShare(records: readonly TableRecord[]): number {
  const counts = new Map<number, number>();
  for (const { cells } of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  const [mode = [0, 0]] = [...counts].sort((left, right) => right[1] - left[1]);
  return mode[0] < 2 ? 0 : mode[1] / records.length;
}
