import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { MAX_RAW_BODY_BYTES } from '../../domain/work-request/limits.js';
import { Refusal, tooLarge, wrongField } from '../http/refusal.js';

/**
 * The text of a raw body, piece by piece as it arrives.
 * @throws Refusal 413 as soon as it is longer than allowed, 422 when it is no UTF-8 text, 400 when it breaks off
 */
export async function* readRawBody(body: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let bytes = 0;
  // Leaving early must not close the connection: the answer goes out on it.
  for await (const piece of unbroken(body.iterator({ destroyOnReturn: false }))) {
    bytes += piece.length;
    if (bytes > MAX_RAW_BODY_BYTES) throw tooLarge('The input', MAX_RAW_BODY_BYTES);
    yield decode(decoder, piece, bytes);
  }
  yield decode(decoder, undefined, bytes);
}

/** A client that goes away in mid-body made no fault of the hub's. */
async function* unbroken(body: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new Refusal(400, `The input broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function decode(decoder: TextDecoder, piece: Uint8Array | undefined, bytes: number): string {
  let text: string;
  try {
    text = decoder.decode(piece, { stream: piece !== undefined });
  } catch {
    throw wrongField(
      ['body'],
      `The input is no UTF-8 text (near byte ${bytes}); save it as UTF-8 and send it again`,
      'encoding',
    );
  }
  if (text.includes('\0'))
    throw wrongField(
      ['body'],
      `The input holds a NUL character (near byte ${bytes}); is it UTF-16 or no text at all? Send UTF-8`,
      'encoding',
    );
  return text;
}
