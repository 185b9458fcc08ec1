import { Readable } from 'node:stream';

const CHUNK_LENGTH = 64 * 1024;

/**
 * A byte stream of many small texts, in chunks of about 64 KB. It reads on only when the client has taken what was
 * sent, and a client that leaves ends the source. With `chunked: false` each text goes out at once.
 */
export function textStream(texts: AsyncIterable<string>, { chunked = true } = {}): Readable {
  return Readable.from(chunked ? inChunks(texts) : texts, {
    objectMode: false,
    highWaterMark: 2 * CHUNK_LENGTH,
  });
}

async function* inChunks(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let chunk = '';
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield Buffer.from(chunk, 'utf8');
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk, 'utf8');
}
