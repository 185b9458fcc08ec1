import {
  BAR,
  BYTE_ORDER_MARK,
  CARRIAGE_RETURN,
  LINE_FEED,
  NO_CHARACTER,
  QUOTE,
  findStop,
  isEndOfBars,
} from './table-characters.js';
import { delimiterText } from './delimiters.js';
import type { Delimiter } from './delimiters.js';
import { MAX_RECORD_LENGTH } from './limits.js';
import { RecordBuilder } from './record-builder.js';
import { RecordQueue } from './record-queue.js';
import type { RecordFault, TableRecord } from './record-queue.js';

/** Records beyond `maxRecords` are counted and not returned, so that a huge input costs no memory. */
export interface TableReaderOptions {
  readonly maxRecords?: number;
  readonly maxRecordLength?: number;
}

type Mode = 'cell-start' | 'plain' | 'quoted' | 'quote-seen' | 'bars' | 'bar-seen';

/**
 * Reads delimited text piece by piece: RFC 4180 quoting; LF, CRLF or CR; a byte-order mark is dropped.
 * - Empty lines at the end are no records; an empty line before a later record is a record with one empty cell.
 * - A quote inside an unquoted cell, or text after a closing quote, is taken literally; SMILES lines know no quotes.
 * - In `CCO |c:1,2|` the delimiter inside the bars does not split, if a SMILES stands before, the bars close on the same
 *   line, and there ends the cell or a blank follows.
 * Time is linear in the text and memory holds one record, however the text is cut into pieces.
 */
export class TableReader {
  readonly #hasQuotes: boolean;
  readonly #splits: boolean;
  readonly #delimiterCode: number;
  readonly #queue: RecordQueue;
  readonly #record: RecordBuilder;
  #mode: Mode = 'cell-start';
  #line = 1;
  #recordLine = 1;
  #afterCarriageReturn = false;
  #atBeginning = true;

  constructor(delimiter: Delimiter, options: TableReaderOptions = {}) {
    this.#hasQuotes = delimiter !== 'blank';
    this.#splits = delimiter !== 'blank' && delimiter !== 'none';
    this.#delimiterCode = this.#splits ? delimiterText[delimiter].charCodeAt(0) : NO_CHARACTER;
    this.#queue = new RecordQueue(options.maxRecords ?? Infinity);
    this.#record = new RecordBuilder(delimiter, options.maxRecordLength ?? MAX_RECORD_LENGTH);
  }

  /** Records seen so far, those beyond `maxRecords` included. */
  get recordCount(): number {
    return this.#queue.recordCount;
  }

  /** Takes the next piece of text and returns the records it completed. */
  push(text: string): TableRecord[] {
    if (text === '') return [];
    const start = this.#atBeginning && text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
    this.#atBeginning = false;
    this.#scan(text, start);
    return this.#queue.take();
  }

  /** The text is over: returns the last record if it had no line end. */
  end(): TableRecord[] {
    if (this.#mode === 'bar-seen') this.#closeBars();
    if (this.#mode === 'bars') this.#reopenBars();
    if (this.#record.isStarted) this.#endRecord(this.#mode === 'quoted' ? 'unclosed-quote' : undefined);
    return this.#queue.take();
  }

  #scan(text: string, start: number): void {
    let at = start;
    while (at < text.length) at = this.#step(text, at);
  }

  /** Consumes at least one character, or changes the mode, and returns where to go on. */
  #step(text: string, at: number): number {
    if (this.#mode === 'plain') return this.#readPlain(text, at);
    if (this.#mode === 'quoted') return this.#readQuoted(text, at);
    if (this.#mode === 'quote-seen') return this.#afterQuote(text, at);
    if (this.#mode === 'bars') return this.#readBars(text, at);
    if (this.#mode === 'bar-seen') return this.#afterBar(text, at);
    return this.#startCell(text, at);
  }

  #startCell(text: string, at: number): number {
    const code = text.charCodeAt(at);
    const endsLine = this.#afterCarriageReturn && code === LINE_FEED;
    this.#afterCarriageReturn = false;
    if (endsLine) return at + 1;
    if (code !== QUOTE || !this.#hasQuotes) {
      this.#mode = 'plain';
      return at;
    }
    this.#record.markQuoted();
    this.#mode = 'quoted';
    return at + 1;
  }

  #readPlain(text: string, at: number): number {
    const end = findStop(text, at, this.#delimiterCode);
    if (end > at) this.#record.append(text.slice(at, end));
    if (end === text.length) return end;
    this.#endPlain(text.charCodeAt(end));
    return end + 1;
  }

  #endPlain(code: number): void {
    if (code === this.#delimiterCode) this.#endCell();
    else if (code === BAR) this.#mode = this.#record.meetBar(this.#splits) ? 'bars' : 'plain';
    else this.#endLine(code);
  }

  #readQuoted(text: string, at: number): number {
    let end = at;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === QUOTE) break;
      if (code === CARRIAGE_RETURN || (code === LINE_FEED && !this.#afterCarriageReturn)) this.#line++;
      this.#afterCarriageReturn = code === CARRIAGE_RETURN;
    }
    this.#record.append(text.slice(at, end));
    if (end === text.length) return end;
    this.#afterCarriageReturn = false;
    this.#mode = 'quote-seen';
    return end + 1;
  }

  #afterQuote(text: string, at: number): number {
    if (text.charCodeAt(at) !== QUOTE) {
      this.#mode = 'plain';
      return at;
    }
    this.#record.append('"');
    this.#mode = 'quoted';
    return at + 1;
  }

  #readBars(text: string, at: number): number {
    const stop = findStop(text, at, BAR);
    const isBar = text.charCodeAt(stop) === BAR;
    const end = isBar ? stop + 1 : stop;
    const fits = this.#record.holdInBars(text.slice(at, end));
    if (isBar && fits) this.#mode = 'bar-seen';
    else if (!fits || stop < text.length) this.#reopenBars();
    return end;
  }

  #afterBar(text: string, at: number): number {
    if (isEndOfBars(text.charCodeAt(at), this.#delimiterCode)) this.#closeBars();
    else this.#reopenBars();
    return at;
  }

  #closeBars(): void {
    this.#record.closeBars();
    this.#mode = 'plain';
  }

  /** The bars did not close on their line or before other text, so they were none: what they held is read again. */
  #reopenBars(): void {
    this.#mode = 'plain';
    this.#scan(this.#record.releaseBars(), 0);
  }

  #endCell(): void {
    this.#record.endCell();
    this.#mode = 'cell-start';
  }

  #endLine(code: number): void {
    this.#endRecord();
    this.#line++;
    this.#recordLine = this.#line;
    this.#afterCarriageReturn = code === CARRIAGE_RETURN;
  }

  #endRecord(fault?: RecordFault): void {
    if (this.#record.isEmptyLine) {
      this.#record.reset();
      this.#queue.addEmptyLine();
    } else this.#queue.add(this.#record.finish(this.#recordLine, fault));
    this.#mode = 'cell-start';
  }
}
