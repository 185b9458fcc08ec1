/** What separates cells. A blank splits off the name of a SMILES line (a tab does too); `none` means one column. */
export const delimiters = ['comma', 'tab', 'semicolon', 'blank', 'none'] as const;
export type Delimiter = (typeof delimiters)[number];

/** The character of each delimiter; empty where there is none. */
export const delimiterText: Readonly<Record<Delimiter, string>> = {
  comma: ',',
  tab: '\t',
  semicolon: ';',
  blank: ' ',
  none: '',
};
