import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readEventStream, type StreamMessage } from './read-event-stream.js';

async function read(...pieces: string[]): Promise<StreamMessage[]> {
  const stream = async function* () {
    yield* pieces;
  };
  const found: StreamMessage[] = [];
  for await (const message of readEventStream(stream())) found.push(message);
  return found;
}

const text = ': hello\n\nevent: running\nid: 3\ndata: {"a": 1}\n\nevent: completed\nid: 4\ndata: {}\n\n';
const messages = [
  { event: 'running', id: '3', data: '{"a": 1}' },
  { event: 'completed', id: '4', data: '{}' },
];

describe('an event stream', () => {
  it('is read message by message, comments left out', async () => {
    expect(await read(text)).toEqual(messages);
  });

  it('is read the same wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: text.length })), async (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(await read(...pieces)).toEqual(messages);
      }),
    );
  });

  it('may have CRLF line ends and data of several lines', async () => {
    expect(await read('data: one\r\ndata: two\r\n\r\n')).toEqual([
      { event: 'message', id: '', data: 'one\ntwo' },
    ]);
  });

  it('gives nothing for a message that was cut off', async () => {
    expect(await read('event: running\ndata: {}\n')).toEqual([]);
  });
});
