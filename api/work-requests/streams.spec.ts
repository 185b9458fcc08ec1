import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RequestEvent } from '../../domain/work-request/work-request.wire.js';
import { EntriesMemory } from './entries-memory.js';
import { EventPace, EVENTS_PER_SECOND } from './event-pace.js';
import { readRawBody } from './read-raw-body.js';
import { acceptedFormat, fileName } from './result-media.js';
import { sseMessage } from './sse-text.js';
import { textStream } from '../http/text-stream.js';
import { withoutStaleProgress } from './without-stale-progress.js';

describe('the pace of a stream', () => {
  it('lets no second hold more than four events, and makes nobody wait without need', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 60 }), (gaps) => {
        const pace = new EventPace();
        const sent: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          now += pace.waitMs(now);
          expect(pace.waitMs(now)).toBe(0);
          pace.sent(now);
          sent.push(now);
        }
        sent
          .slice(EVENTS_PER_SECOND)
          .forEach((at, index) => expect(at - sent[index]!).toBeGreaterThanOrEqual(1_000));
      }),
    );
  });
});

describe('stale progress', () => {
  it('is dropped only where newer progress follows at once', () => {
    const event = (event_no: number, type: RequestEvent['type']): RequestEvent => ({
      request_id: 1,
      event_no,
      type,
      at: '',
      details: {},
    });
    const events = [
      event(1, 'progress'),
      event(2, 'progress'),
      event(3, 'waiting'),
      event(4, 'progress'),
      event(5, 'completed'),
    ];
    expect(withoutStaleProgress(events).map(({ event_no: number }) => number)).toEqual([2, 3, 4, 5]);
  });
});

describe('a message', () => {
  it('stays one message whatever its data holds', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
        const text = sseMessage('waiting', 7, JSON.parse(json));
        expect(text.split('\n')).toHaveLength(5);
        expect(text.endsWith('\n\n')).toBe(true);
      }),
    );
  });
});

describe('a text stream', () => {
  const bytesOf = async (stream: Readable) => Buffer.concat(await stream.toArray());

  it('carries every byte, in few pieces', async () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `row ${index} é\n`);
    const stream = textStream(Readable.from(texts));
    const pieces = (await stream.toArray()) as Buffer[];
    expect(Buffer.concat(pieces).toString('utf8')).toBe(texts.join(''));
    expect(pieces.length).toBeLessThan(10);
  });

  it('reads no further than its reader takes, and ends its source when the reader leaves', async () => {
    let made = 0;
    let hasEnded = false;
    async function* endless() {
      try {
        for (;;) {
          made++;
          yield 'x'.repeat(1_000);
        }
      } finally {
        hasEnded = true;
      }
    }
    const stream = textStream(endless());
    stream.read(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(made).toBeLessThan(1_000);
    stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(hasEnded).toBe(true);
  });

  it('breaks off with an error, never with a whole-looking end', async () => {
    async function* broken() {
      yield 'one\n';
      throw new Error('shard missing');
    }
    await expect(bytesOf(textStream(broken()))).rejects.toThrow('shard missing');
  });
});

describe('a raw body', () => {
  const read = async (...pieces: Uint8Array[]) => {
    let text = '';
    for await (const piece of readRawBody(Readable.from(pieces, { objectMode: false }))) text += piece;
    return text;
  };

  it('is the same text however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 5 }),
        async (text, size) => {
          fc.pre(!text.includes('\0'));
          const bytes = Buffer.from(text.toWellFormed());
          const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
            bytes.subarray(index * size, (index + 1) * size),
          );
          expect(await read(...pieces)).toBe(text.toWellFormed());
        },
      ),
    );
  });

  it('is refused when it ends inside a character, or is no UTF-8', async () => {
    await expect(read(Buffer.from('é').subarray(0, 1))).rejects.toMatchObject({ status: 422 });
    await expect(read(Buffer.from([0xff, 0xfe, 0x43, 0x00]))).rejects.toMatchObject({ status: 422 });
  });
});

describe('the format of an answer', () => {
  it.each([
    ['text/csv', 'csv'],
    ['application/x-ndjson, application/json;q=0.5', 'ndjson'],
    ['text/html, text/tab-separated-values;q=0.9', 'tsv'],
    ['application/json, text/csv', null],
    ['*/*', null],
    ['', null],
    [undefined, null],
  ])('for Accept %j is %j', (accept, format) => expect(acceptedFormat(accept)).toBe(format));

  it('has a file name that no model can break', () => {
    expect(fileName('a"b\r\nc/../é', 7, 'result.csv')).toBe('a_b__c_..__-7-result.csv');
  });
});

describe('the memory of entries', () => {
  it('keeps what was asked for last, within its bound, and nothing that is long', () => {
    const memory = new EntriesMemory(1_000);
    const entries = ['C'.repeat(100)];
    for (let id = 1; id <= 5; id++) memory.set(id, entries);
    expect(memory.get(1)).toEqual(entries);
    memory.set(6, entries);
    expect([1, 2, 3, 4, 5, 6].map((id) => memory.get(id) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
      true,
      true,
    ]);
    memory.set(7, ['C'.repeat(100_000)]);
    expect(memory.get(7)).toBeUndefined();
  });
});
