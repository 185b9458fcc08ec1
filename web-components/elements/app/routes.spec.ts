import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { titleOf, toRoute } from './routes.js';

describe('the route of an address', () => {
  it.each([
    ['/', { name: 'submit' }],
    ['/requests', { name: 'requests' }],
    ['/requests/', { name: 'requests' }],
    ['/requests/42', { name: 'request', id: 42 }],
    ['/models/eos-physchem', { name: 'model', id: 'eos-physchem' }],
    ['/models/a%20b', { name: 'model', id: 'a b' }],
    ['/models/100%', { name: 'model', id: '100%' }],
    ['/requests/latest', { name: 'unknown', path: '/requests/latest' }],
    ['/api/v1/docs', { name: 'unknown', path: '/api/v1/docs' }],
  ])('%s', (path, route) => {
    expect(toRoute(path)).toEqual(route);
  });

  it('is found, and has a title, whatever the path', () => {
    fc.assert(fc.property(fc.webPath(), (path) => expect(titleOf(toRoute(path))).toContain('hub')));
  });

  it('leads back to the model whose address it was made for', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (id) =>
        expect(toRoute(`/models/${encodeURIComponent(id)}`)).toEqual({ name: 'model', id }),
      ),
    );
  });
});
