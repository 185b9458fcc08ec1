import type { Delimiter } from './delimiters.js';

/** Is the first record a header: judged, or said by the caller. */
export const headerModes = ['auto', 'yes', 'no'] as const;
export type HeaderMode = (typeof headerModes)[number];

/**
 * What the caller knows of an input. `column`: the SMILES column as a 0-based index (number), or as text: a name of the
 * header or of the verdict's `columnNames`, or a 1-based number in digits. Header and column given always win.
 */
export interface InputChoice {
  readonly delimiter: Delimiter;
  readonly header: HeaderMode;
  readonly column?: string | number | null;
}

/** What the hub made of an input. The SMILES column's index counts from 0; lines count from 1. */
export interface InputVerdict {
  readonly ok: true;
  readonly delimiter: Delimiter;
  readonly header: boolean;
  readonly headerBecause: string;
  /** Line of the header; records up to it are no rows. Null without a header. */
  readonly headerLine: number | null;
  readonly column: { readonly index: number; readonly name: string };
  readonly columnBecause: string;
  readonly columnNames: readonly string[];
  /** A doubt the user should see although the input is accepted, or null. */
  readonly warning: string | null;
}

export const inputRefusalCodes = [
  'empty',
  'header-only',
  'unknown-column',
  'too-many-columns',
  'over-limit',
  'row-too-large',
  'unclosed-quote',
] as const;
export type InputRefusalCode = (typeof inputRefusalCodes)[number];

/** Why an input is not accepted, in words for the user. */
export interface InputRefusal {
  readonly ok: false;
  readonly code: InputRefusalCode;
  readonly message: string;
}
