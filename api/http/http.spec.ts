import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { timeValue } from './filter-values.js';
import { isDatabaseAway } from './is-database-away.js';
import { KnownRoutes } from './known-routes.js';
import type { Refusal } from './refusal.js';
import { validated } from './validate-input.js';

describe('known routes', () => {
  const routes = new KnownRoutes();
  routes.add('/api/models', 'GET');
  routes.add('/api/models', 'HEAD');
  routes.add('/api/work-requests/:id/cancel', ['POST']);
  routes.add('/*', 'GET');

  it.each([
    ['/api/models', ['GET', 'HEAD']],
    ['/api/models/', ['GET', 'HEAD']],
    ['/api/work-requests/7/cancel', ['POST']],
    ['/api/work-requests//cancel', []],
    ['/api/modelsX', []],
    ['/anything', []],
  ])('%s knows %j', (path, methods) => expect(routes.methodsOf(path)).toEqual(methods));
});

describe('a database that is away', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code });

  it.each(['ECONNREFUSED', 'ECONNRESET', '57P01', '57P03', '08006', '53300', '57014'])(
    'is told by %s',
    (code) => expect(isDatabaseAway(withCode(code))).toBe(true),
  );
  it.each(['23505', '42P01', '22P02', 'ERR_INVALID_ARG_TYPE', ''])('is not told by %j', (code) =>
    expect(isDatabaseAway(withCode(code))).toBe(false),
  );
  it('is told by what driver and pool say, by a cause, and by each of several addresses', () => {
    expect(isDatabaseAway(new Error('Query read timeout'))).toBe(true);
    expect(isDatabaseAway(new Error('timeout exceeded when trying to connect'))).toBe(true);
    expect(isDatabaseAway(new Error('load', { cause: withCode('ECONNREFUSED') }))).toBe(true);
    expect(isDatabaseAway(new AggregateError([withCode('ECONNREFUSED')]))).toBe(true);
    expect(isDatabaseAway(undefined)).toBe(false);
  });
});

describe('a time in a query', () => {
  it.each([
    ['2026-02-03', '2026-02-03'],
    ['2026-02-03 04:05', '2026-02-03 04:05'],
    ['2026-02-03T04:05:06.123456Z', '2026-02-03T04:05:06.123456'],
    [' 2026-02-03T04:05:06 +01:00 ', '2026-02-03T04:05:06'],
  ])('%j means %s, whatever its zone', (text, meant) => expect(timeValue.parse(text)).toBe(meant));

  it.each(['', '2026-02-31', '2026-02-03T25:00', '3026-01-01', '2026-02-03  Z', 'yesterday'])(
    '%j is none',
    (text) => expect(timeValue.safeParse(text).success).toBe(false),
  );

  it('is judged at once, however many blanks a caller sends', () => {
    const started = performance.now();
    for (const end of ['', 'x', 'Z']) timeValue.safeParse(`2026-02-03${' '.repeat(100_000)}${end}`);
    expect(performance.now() - started).toBeLessThan(200);
  });
});

describe('validated input', () => {
  const schema = z.object({
    name: z.string().max(3),
    age: z.coerce.number().optional(),
    tags: z.array(z.string()).optional(),
  });
  const faultsOf = (value: unknown) => {
    try {
      validated(schema, value, 'body');
    } catch (error) {
      return (error as Refusal).getResponse() as {
        detail: { type: string; loc: unknown[]; input?: unknown }[];
      };
    }
    return null;
  };

  it('names each field at fault, and echoes only what is short', () => {
    expect(faultsOf({})!.detail).toMatchObject([{ type: 'missing', loc: ['body', 'name'] }]);
    expect(faultsOf({ name: 'abcd', age: 'x' })!.detail.map(({ loc }) => loc)).toEqual([
      ['body', 'name'],
      ['body', 'age'],
    ]);
    expect(faultsOf({ name: 'abcd' })!.detail[0]!.input).toBe('abcd');
    expect(faultsOf({ name: 'a'.repeat(10_000) })!.detail[0]).not.toHaveProperty('input');
    expect(faultsOf({ name: { deep: {} } })!.detail[0]).not.toHaveProperty('input');
  });

  it('refuses text that can not be stored, wherever it stands', () => {
    expect(faultsOf({ name: 'a\0' })!.detail[0]!.loc).toEqual(['body', 'name']);
    expect(faultsOf({ name: 'a', tags: ['ok', '\ud800'] })!.detail[0]!.loc).toEqual(['body', 'tags', 1]);
    expect(faultsOf({ name: '😀', tags: ['é'] })).toBeNull();
  });

  it('takes cleared filters as not given, in queries only', () => {
    expect(validated(schema, { name: 'a', age: '' }, 'query')).toEqual({ name: 'a' });
    expect(validated(schema, { name: 'a', age: 'undefined' }, 'query')).toEqual({ name: 'a' });
    expect(validated(z.object({ name: z.string() }), { name: '' }, 'body')).toEqual({ name: '' });
  });
});
