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

/** File name of a request's result or input, safe in a header whatever the model is called. */
export function fileName(modelId: string, requestId: number, what: string): string {
  return `${modelId.replaceAll(/[^\w.-]/g, '_')}-${requestId}-${what}`;
}
