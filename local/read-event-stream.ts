/** One message of a `text/event-stream` answer. */
export interface StreamMessage {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** The messages of the stream's text, which comes in pieces cut anywhere. Comments and unfinished messages are left out. */
export async function* readEventStream(pieces: AsyncIterable<string>): AsyncGenerator<StreamMessage> {
  let rest = '';
  for await (const piece of pieces) {
    const blocks = (rest + piece).replaceAll('\r\n', '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = toMessage(block);
      if (message.data !== '') yield message;
    }
  }
}

function toMessage(block: string): StreamMessage {
  const fields = { event: [] as string[], id: [] as string[], data: [] as string[] };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) fields[name as keyof typeof fields].push(value);
  }
  return {
    event: fields.event.at(-1) ?? 'message',
    id: fields.id.at(-1) ?? '',
    data: fields.data.join('\n'),
  };
}
