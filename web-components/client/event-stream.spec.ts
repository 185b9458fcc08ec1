import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventStreamParser, readEventStream, type StreamItem } from './event-stream.js';

const parse = (...pieces: string[]): StreamItem[] => {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

const lineText = fc.string().map((text) => text.replaceAll(/[\r\n]/g, ' '));
const eventName = fc.stringMatching(/^[a-z][a-z-]{0,10}$/);

describe('an event stream', () => {
  it('gives name, data and id of an event', () => {
    expect(parse('event: progress\nid: 7\ndata: {"rows_done":3}\n\n')).toEqual([
      { type: 'progress', data: '{"rows_done":3}', lastEventId: '7' },
    ]);
  });

  it('calls an event without a name "message" and keeps the id of the one before', () => {
    expect(parse('id: 1\ndata: a\n\ndata: b\n\n')).toEqual([
      { type: 'message', data: 'a', lastEventId: '1' },
      { type: 'message', data: 'b', lastEventId: '1' },
    ]);
  });

  it('joins several data lines and takes one blank away after the colon', () => {
    expect(parse('data:  two blanks\ndata:none\ndata\n\n')).toEqual([
      { type: 'message', data: ' two blanks\nnone\n', lastEventId: '' },
    ]);
  });

  it('tells a comment as a sign of life', () => {
    expect(parse(': still here\n')).toEqual(['alive']);
  });

  it('drops an event without data, and one whose end never came', () => {
    expect(parse('event: empty\n\ndata: unfinished\n')).toEqual([]);
  });

  it('ignores a byte-order mark at the beginning, unknown fields, and an id with a NUL', () => {
    expect(parse('\uFEFFdata: x\nretry: 5\nid: a\0b\n\n')).toEqual([
      { type: 'message', data: 'x', lastEventId: '' },
    ]);
  });

  it('goes on from the id of an earlier connection', () => {
    expect(new EventStreamParser('41').push('data: x\n\n')).toEqual([
      { type: 'message', data: 'x', lastEventId: '41' },
    ]);
  });

  it('reads the same events however the text is cut, with any line ending', () => {
    const event = fc.record({ name: eventName, lines: fc.array(lineText, { minLength: 1, maxLength: 4 }) });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat({ max: 200 })),
        (events, ending, cuts) => {
          const text = events
            .map(({ name, lines }) => [`event: ${name}`, ...lines.map((line) => `data: ${line}`), '', ''])
            .flatMap((lines) => lines.join(ending))
            .join('');
          const expected = events.map(({ name, lines }) => ({
            type: name,
            data: lines.join('\n'),
            lastEventId: '',
          }));
          const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort(
            (a, b) => a - b,
          );
          const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
          expect(parse(...pieces)).toEqual(expected);
        },
      ),
    );
  });

  it('reads bytes that are cut inside a letter', async () => {
    const bytes = new TextEncoder().encode('data: Ångström\n\n');
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const items: StreamItem[] = [];
    for await (const item of readEventStream(body)) items.push(item);
    expect(items).toEqual([{ type: 'message', data: 'Ångström', lastEventId: '' }]);
  });

  it('lets the connection go when its reader stops early', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\ndata: 2\n\n')),
      cancel: () => void (cancelled = true),
    });
    for await (const item of readEventStream(body)) if (item !== 'alive') break;
    expect(cancelled).toBe(true);
  });
});
