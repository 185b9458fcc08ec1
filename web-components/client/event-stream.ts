/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** `message` when the stream names none. */
  readonly type: string;
  readonly data: string;
  /** The last id the stream gave, here or before; '' when it gave none. */
  readonly lastEventId: string;
}

/** An event, or `alive` for a comment: servers send comments to show that the connection still lives. */
export type StreamItem = ServerSentEvent | 'alive';

/**
 * Splits a `text/event-stream` into events, as the HTML standard's "Server-sent events" reads it: any line ending, a
 * byte-order mark, several data lines, comments, a last event without its blank line dropped. Feed it text in pieces of
 * any size.
 */
export class EventStreamParser {
  private rest = '';
  private started = false;
  private type = '';
  private data: string[] = [];
  private id = '';

  /** Id to send as `Last-Event-ID` when connecting again. */
  get lastEventId(): string {
    return this.id;
  }

  /** @param lastEventId the id from an earlier connection, kept until the stream gives a new one. */
  constructor(lastEventId = '') {
    this.id = lastEventId;
  }

  push(text: string): StreamItem[] {
    if (!this.started && text !== '') {
      this.started = true;
      text = text.replace(/^\uFEFF/, '');
    }
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    // A CR at the very end may be the first half of CRLF: it waits with its line for the next piece.
    this.rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.take(line));
  }

  private take(line: string): StreamItem[] {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return ['alive'];
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.type = value;
    if (field === 'data') this.data.push(value);
    if (field === 'id' && !value.includes('\0')) this.id = value;
    return [];
  }

  private dispatch(): StreamItem[] {
    const { type, data } = this;
    this.type = '';
    this.data = [];
    if (data.length === 0) return [];
    return [{ type: type || 'message', data: data.join('\n'), lastEventId: this.id }];
  }
}

/**
 * Reads a response body as events until it ends. EventSource cannot send a token, so streams are read with fetch.
 *
 * @throws what the body throws when the connection breaks.
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamItem, void, void> {
  const parser = new EventStreamParser();
  const reader = body.getReader();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel();
  }
}
