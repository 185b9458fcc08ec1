import type { HubConnection } from './connection.js';
import { callHub, readAnswer } from './request.js';

/** Formats in which a result can be had. */
export const resultFormats = ['csv', 'tsv', 'ndjson'] as const;
export type ResultFormat = (typeof resultFormats)[number];

const mediaTypes: Readonly<Record<ResultFormat, string>> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  ndjson: 'application/x-ndjson',
};

export interface ResultFile {
  readonly name: string;
  readonly content: Blob;
}

/** The whole result as a file, named as the hub names it. The browser keeps large blobs on disk. */
export async function downloadResult(
  connection: HubConnection,
  id: number,
  format: ResultFormat,
): Promise<ResultFile> {
  const attempted = `download the result of request ${id}`;
  const response = await openResult(connection, id, format, attempted);
  return {
    name: fileNameOf(response) ?? `request-${id}.${format}`,
    content: await readAnswer({ attempted }, () => response.blob()),
  };
}

/** One row of a result: column -> value. */
export type ResultRow = Readonly<Record<string, unknown>>;

/** The first rows of a result; the rest is not downloaded. */
export async function readFirstRows(
  connection: HubConnection,
  id: number,
  rowCount: number,
  signal: AbortSignal,
): Promise<ResultRow[]> {
  const attempted = `preview the result of request ${id}`;
  const response = await openResult(connection, id, 'ndjson', attempted, signal);
  return readAnswer({ attempted, signal }, async () => {
    const lines = await readFirstLines(response.body, rowCount);
    return lines.map((line) => JSON.parse(line) as ResultRow);
  });
}

function openResult(
  connection: HubConnection,
  id: number,
  format: ResultFormat,
  attempted: string,
  signal?: AbortSignal,
): Promise<Response> {
  return callHub(connection, `/api/work-requests/${id}?format=${format}`, {
    attempted,
    headers: { accept: mediaTypes[format] },
    signal,
  });
}

async function readFirstLines(body: ReadableStream<Uint8Array> | null, count: number): Promise<string[]> {
  if (body === null) return [];
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let done = false;
  while (!done && text.split('\n').length <= count) {
    const piece = await reader.read();
    done = piece.done;
    text += decoder.decode(piece.value, { stream: !done });
  }
  await reader.cancel();
  return text
    .split('\n')
    .slice(0, count)
    .filter((line) => line.trim() !== '');
}

/** The name in `Content-Disposition`, in either of its spellings (RFC 6266). */
function fileNameOf(response: Response): string | null {
  const header = response.headers.get('content-disposition') ?? '';
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1];
  if (encoded) return decodeURIComponent(encoded);
  return /filename="([^"]+)"|filename=([^;\s]+)/i.exec(header)?.slice(1).find(Boolean) ?? null;
}
