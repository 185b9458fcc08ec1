import { InputProblems } from './input-problems.js';
import type { ProblemSummary } from './input-problems.js';
import type { HeaderMode, InputRefusal, InputRefusalCode, InputVerdict } from './input-verdict.js';
import { judgeInput, textsToJudge } from './judge-input.js';
import { JudgedTop } from './judged-top.js';
import { JUDGED_ROWS } from './limits.js';
import { ShardPlanner } from './plan-shards.js';
import type { PlannedShard } from './plan-shards.js';
import { InputReader } from './read-input.js';
import type { TableRecord } from './record-queue.js';
import { toRow } from './to-row.js';

/** What is known of an input before it is read, and who is asked about chemistry. */
export interface InputPlanOptions {
  /** Media type, or a delimiter by name or character. */
  readonly hint?: string | null;
  readonly header: HeaderMode;
  /** The SMILES column, as in `InputChoice`. */
  readonly column?: string | number | null;
  readonly maxRows: number;
  /** Null when the model has not declared its columns. */
  readonly modelColumnCount: number | null;
  /** Rows from the top whose molecules are checked beyond what judging needs; 0 unless the user wants a preview. */
  readonly checkedRows?: number;
  /** Which of the texts are molecules, in their order. Called at most twice, with distinct texts. */
  readonly areMolecules: (texts: readonly string[]) => Promise<readonly boolean[]>;
}

/** What became of an input. `refusal` is null exactly when the input can be accepted. */
export interface InputReport {
  readonly verdict: InputVerdict | null;
  readonly refusal: InputRefusal | null;
  readonly problems: ProblemSummary;
  /** Rows at the top whose validity is known and counted in the problems. */
  readonly judgedRows: number;
  readonly preview: readonly (readonly string[])[];
}

const PREVIEW_ROWS = 5;

/**
 * Turns the text of an input, piece by piece, into shards and a report. However the text is cut into pieces, the result
 * is the same; memory holds the judged rows at the top, then one shard. Shards handed out before a refusal must be
 * thrown away.
 */
export class InputPlan {
  readonly #options: InputPlanOptions;
  readonly #problems: InputProblems;
  readonly #planner: ShardPlanner;
  readonly #reader: InputReader;
  readonly #preview: string[][] = [];
  #top: JudgedTop | null = new JudgedTop();
  #verdict: InputVerdict | null = null;
  #refusal: InputRefusal | null = null;
  #known = new Map<string, boolean>();
  #rowCount = 0;
  #judgedRows = 0;

  constructor(options: InputPlanOptions) {
    this.#options = options;
    this.#problems = new InputProblems({ maxRows: options.maxRows });
    this.#planner = new ShardPlanner(options.modelColumnCount);
    // The header and blank lines before it are records too, and must not push rows over the limit.
    this.#reader = new InputReader({
      hint: options.hint ?? null,
      maxRecords: options.maxRows + JUDGED_ROWS + 1,
    });
  }

  /** True once the input cannot be accepted any more; reading on only completes the counts. */
  get isRefused(): boolean {
    return this.#refusal !== null;
  }

  /** Takes the next piece of text; returns the shards it completed. */
  async push(text: string): Promise<PlannedShard[]> {
    return this.#takeRecords(this.#reader.push(text), false);
  }

  /** The text is over; returns the last shards. Afterwards the report is final. */
  async end(): Promise<PlannedShard[]> {
    const shards = await this.#takeRecords(this.#reader.end(), true);
    const last = this.#planner.end();
    this.#checkRowLimit();
    if (this.#refusal !== null) return [];
    return last === null ? shards : [...shards, last];
  }

  report(): InputReport {
    return {
      verdict: this.#verdict,
      refusal: this.#refusal,
      problems: this.#problems.summary(this.#verdict === null ? 0 : this.#reader.droppedCount),
      judgedRows: this.#judgedRows,
      preview: this.#preview,
    };
  }

  async #takeRecords(records: readonly TableRecord[], isEnd: boolean): Promise<PlannedShard[]> {
    const top = this.#top;
    // Judged already; after a refusal nothing is kept.
    if (top === null) return this.#addRows(records);
    const others = top.take(records);
    if (!isEnd && !top.isWhole) return [];
    this.#top = null;
    const verdict = await this.#judge(top.records);
    if (!verdict.ok) {
      this.#refusal = verdict;
      return [];
    }
    this.#verdict = verdict;
    await this.#checkTopRows(top.records, verdict);
    return this.#addRows([...top.records, ...others]);
  }

  async #judge(records: readonly TableRecord[]): Promise<InputVerdict | InputRefusal> {
    const { header, column = null } = this.#options;
    const choice = { delimiter: this.#reader.delimiter, header, column };
    await this.#ask(textsToJudge(records, choice));
    return judgeInput(records, choice, (text) => this.#known.get(text) === true);
  }

  async #checkTopRows(records: readonly TableRecord[], verdict: InputVerdict): Promise<void> {
    const wanted = this.#options.checkedRows ?? 0;
    if (wanted === 0) return;
    const rows = records.map((record) => toRow(record, verdict)).filter((row) => row !== null);
    const top = rows.slice(0, wanted).map((row) => row[verdict.column.index] ?? '');
    this.#judgedRows = top.length;
    await this.#ask([...new Set(top)].filter((text) => text !== '' && !this.#known.has(text)));
  }

  async #ask(texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return;
    const answers = await this.#options.areMolecules(texts);
    texts.forEach((text, index) => this.#known.set(text, answers[index] === true));
  }

  #addRows(records: readonly TableRecord[]): PlannedShard[] {
    const verdict = this.#verdict;
    if (verdict === null) return [];
    const shards: PlannedShard[] = [];
    for (const record of records) {
      const row = toRow(record, verdict);
      const shard = row === null ? null : this.#addRow(record, row, verdict);
      if (shard !== null) shards.push(shard);
    }
    return this.#refusal === null ? shards : [];
  }

  #addRow(record: TableRecord, row: string[], verdict: InputVerdict): PlannedShard | null {
    this.#rowCount++;
    const smiles = row[verdict.column.index] ?? '';
    const valid = this.#rowCount <= this.#judgedRows ? this.#known.get(smiles) : undefined;
    if (!this.#problems.addRow(record.line, smiles, valid)) return null;
    if (this.#preview.length < PREVIEW_ROWS) this.#preview.push(row);
    if (record.fault !== undefined) this.#takeFault(record);
    if (this.#refusal !== null) return null;
    const planned = this.#planner.add(row);
    if (planned.ok) return planned.shard;
    this.#problems.report(record.line, 'too-long', planned.message);
    return this.#refuse('row-too-large', `Line ${record.line}: ${planned.message}.`);
  }

  /** An unclosed quote that swallowed further lines would lose their rows, so that input is refused. */
  #takeFault({ line, fault, cells }: TableRecord): void {
    if (fault === 'too-long') {
      this.#problems.report(line, 'too-long', 'the row is too long to be read; is a quote left open?');
      this.#refuse('row-too-large', `Line ${line}: the row is too long to be read. Is a quote left open?`);
      return;
    }
    this.#problems.report(line, 'unclosed-quote', 'a quote is left open to the end of the input');
    if (cells.some((cell) => /[\r\n]/.test(cell)))
      this.#refuse(
        'unclosed-quote',
        `Line ${line}: a quote is left open and swallows the lines after it. Close it, or double it.`,
      );
  }

  #checkRowLimit(): void {
    const { maxRows } = this.#options;
    const rows = this.#rowCount + this.#reader.droppedCount;
    if (this.#verdict === null || rows <= maxRows) return;
    this.#refuse(
      'over-limit',
      `The input has ${rows} rows, at most ${maxRows} are accepted. Split it into several requests.`,
    );
  }

  #refuse(code: InputRefusalCode, message: string): null {
    this.#refusal ??= { ok: false, code, message };
    return null;
  }
}
