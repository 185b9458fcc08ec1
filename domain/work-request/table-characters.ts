/** The characters that mean something to a table reader, as UTF-16 codes. */
const TAB = 9;
export const LINE_FEED = 10;
export const CARRIAGE_RETURN = 13;
const BLANK = 32;
export const QUOTE = 34;
export const BAR = 124;
export const BYTE_ORDER_MARK = 0xfeff;
/** Equal to no character, for inputs without a delimiter. */
export const NO_CHARACTER = -1;

/** After the bars the cell ends, or a blank and a name follow. */
export function isEndOfBars(code: number, delimiterCode: number): boolean {
  return (
    code === delimiterCode || code === LINE_FEED || code === CARRIAGE_RETURN || code === BLANK || code === TAB
  );
}

/** Position of the next line end, bar or delimiter, or the text's length. */
export function findStop(text: string, from: number, delimiterCode: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === delimiterCode || code === LINE_FEED || code === CARRIAGE_RETURN || code === BAR) return at;
  }
  return text.length;
}
