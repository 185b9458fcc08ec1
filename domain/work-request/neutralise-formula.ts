import { isPlainNumber } from './cell-text.js';

/** Characters with which a spreadsheet begins a formula, full-width forms included; a tab or line end hides one. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
const NEUTRALISED = /^'+[=+\-@\t\r\n＝＋－＠]/;

/**
 * A text as a spreadsheet can open it without running it: an apostrophe is put before a text that begins like a formula,
 * or like an already neutralised one. Plain numbers (`-5`, `+1.5e3`) stay as they are; no valid SMILES, InChI or
 * InChIKey begins with such a character.
 */
export function neutraliseFormula(text: string): string {
  return FORMULA.test(text) && !isPlainNumber(text) ? `'${text}` : text;
}

/** The text before `neutraliseFormula`. */
export function restoreFormula(text: string): string {
  return NEUTRALISED.test(text) ? text.slice(1) : text;
}
