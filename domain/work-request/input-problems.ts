import { shorten } from './cell-text.js';
import { MAX_LISTED_PROBLEMS } from './limits.js';
import { SeenTexts } from './seen-texts.js';

/** What can be wrong with a row. Every such row is kept and answered, except beyond the limit or when too long. */
export const problemKinds = [
  'invalid',
  'empty',
  'duplicate',
  'over-limit',
  'too-long',
  'unclosed-quote',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

/** One problem on a line of the original text, counted from 1. */
export interface InputProblem {
  readonly line: number;
  readonly kind: ProblemKind;
  readonly message: string;
}

/** Rows seen, complete counts per kind, and the first problems of each kind in order of lines. */
export interface ProblemSummary {
  readonly rowCount: number;
  readonly counts: Readonly<Record<ProblemKind, number>>;
  readonly first: readonly InputProblem[];
}

/** `maxListed` is per kind, so that ten thousand duplicates do not hide the one invalid row. */
export interface ProblemLimits {
  readonly maxRows: number;
  readonly maxListed?: number;
}

/** Gathers the problems of an input row by row. Memory: 20 to 40 bytes per distinct text. */
export class InputProblems {
  readonly #maxRows: number;
  readonly #maxListed: number;
  readonly #counts = Object.fromEntries(problemKinds.map((kind) => [kind, 0])) as Record<ProblemKind, number>;
  readonly #listed: InputProblem[] = [];
  readonly #seen = new SeenTexts();
  #rowCount = 0;

  constructor(limits: ProblemLimits) {
    this.#maxRows = limits.maxRows;
    this.#maxListed = limits.maxListed ?? MAX_LISTED_PROBLEMS;
  }

  /**
   * Notes one row by its SMILES. `valid` is what chemistry says, undefined when it was not asked. A row over the limit
   * is that and nothing else. Returns false if the row is over the limit.
   */
  addRow(line: number, smiles: string, valid?: boolean): boolean {
    this.#rowCount++;
    if (this.#rowCount > this.#maxRows) {
      this.report(line, 'over-limit', `row ${this.#rowCount}: at most ${this.#maxRows} rows are accepted`);
      return false;
    }
    const text = smiles.trim();
    if (text === '') {
      this.report(line, 'empty', 'no SMILES');
      return true;
    }
    if (valid === false) this.report(line, 'invalid', `“${shorten(text)}” is no molecule`);
    const before = this.#seen.firstLine(text, line);
    if (before !== null) this.report(line, 'duplicate', `the same as line ${before}; both are answered`);
    return true;
  }

  /** Notes a problem found elsewhere. */
  report(line: number, kind: ProblemKind, message: string): void {
    this.#counts[kind]++;
    if (this.#counts[kind] <= this.#maxListed) this.#listed.push({ line, kind, message });
  }

  /** `unreadRows`: rows over the limit that were only counted; they are in the figures and not in the list. */
  summary(unreadRows = 0): ProblemSummary {
    const counts = { ...this.#counts, 'over-limit': this.#counts['over-limit'] + unreadRows };
    const first = this.#listed.toSorted((left, right) => left.line - right.line);
    return { rowCount: this.#rowCount + unreadRows, counts, first };
  }
}
