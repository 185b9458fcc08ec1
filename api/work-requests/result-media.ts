import type { ResultFormat } from '../../domain/work-request/write-results.js';

/** Media type of each result format. */
export const mediaTypes: Readonly<Record<ResultFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  tsv: 'text/tab-separated-values; charset=utf-8',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/** `application/json` is not among them: it means the contract's own shape. */
const formatOfMediaType: Readonly<Record<string, ResultFormat>> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/** The table format that an Accept header names, the first of several; null when it names none of ours. */
export function acceptedFormat(accept: string | undefined): ResultFormat | null {
  for (const part of (accept ?? '').split(',')) {
    const type = part.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    const format = formatOfMediaType[type];
    if (format) return format;
    if (type === 'application/json') return null;
  }
  return null;
}

/** File name of what belongs to a request or an instance, safe in a header whatever these are called. */
export function fileName(kind: string, id: string | number, what: string): string {
  return `${kind}-${id}-${what}`.replaceAll(/[^\w.-]/g, '_');
}
