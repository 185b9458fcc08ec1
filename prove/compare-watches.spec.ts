import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareWatches, type ToldChange, type TrueChange } from './compare-watches.js';

const was = (uid: string, version: number, ended = false): TrueChange => ({
  uid,
  version,
  ended,
  at: version * 100,
});
const told = (uid: string, version: number, more: Partial<ToldChange> = {}): ToldChange => ({
  uid,
  version,
  gone: false,
  byList: false,
  at: version * 100 + 5,
  ...more,
});
const life = [was('a', 1), was('a', 2), was('a', 4), was('a', 7, true)];

describe('comparing a watch with the truth', () => {
  it('finds nothing to say of a watch that told everything', () => {
    const words = [told('a', 1), told('a', 2), told('a', 4), told('a', 7, { gone: true })];
    const difference = compareWatches(life, words);
    expect(difference).toMatchObject({ missed: [], untrue: [], collapsed: 0, wholeLives: 0 });
    expect(difference.delays.map(({ delayMs }) => delayMs)).toEqual([5, 5, 5, 5]);
  });

  it('counts a change that was passed over as missed, and one that a list replaced as collapsed', () => {
    const end = told('a', 7, { gone: true });
    expect(compareWatches(life, [told('a', 1), told('a', 4), end])).toMatchObject({ missed: ['a at 2'] });
    const listed = told('a', 4, { byList: true, at: 900 });
    const difference = compareWatches(life, [told('a', 1), listed, end]);
    expect(difference).toMatchObject({ missed: [], untrue: [], collapsed: 1 });
    expect(difference.delays[1]).toEqual({ at: 200, delayMs: 700 });
  });

  it('counts a change as missed that a list made good, after the watch had passed over it', () => {
    const truth = [...life.slice(0, 2), was('b', 3), was('a', 4)];
    const words = [told('a', 1), told('b', 3), told('a', 4, { byList: true })];
    expect(compareWatches(truth, words)).toMatchObject({ missed: ['a at 2'], collapsed: 0 });
    const end = [was('a', 1), was('a', 2, true), was('b', 3)];
    const late = [told('a', 1), told('b', 3), told('a', 1, { gone: true, byList: true })];
    expect(compareWatches(end, late).missed).toEqual(['a at 2 (its end)']);
  });

  it('counts an end that was never told as missed', () => {
    const words = [told('a', 1), told('a', 2), told('a', 4)];
    expect(compareWatches(life, words).missed).toEqual(['a at 7 (its end)']);
  });

  it('reports an object of which no word was told by whether it still is', () => {
    expect(compareWatches(life, [])).toMatchObject({ missed: [], wholeLives: 1 });
    expect(compareWatches(life.slice(0, 1), [])).toMatchObject({ missed: ['a at 1'], wholeLives: 0 });
  });

  it.each([
    ['that goes back in time', [told('a', 2), told('a', 1)], /at 1, but 2 was told before/],
    ['that is said twice', [told('a', 2), told('a', 2)], /at 2, but 2 was told before/],
    ['of a state that never was', [told('a', 3)], /at 3, which it never was/],
    ['after the end', [told('a', 7, { gone: true }), told('a', 4)], /told gone before/],
    ['of an object that never was', [told('b', 1)], /b never was/],
  ])('finds a word %s', (_what, words, says) => {
    expect(compareWatches(life, words).untrue).toContainEqual(expect.stringMatching(says));
  });

  it('finds an end that did not come', () => {
    const words = [told('a', 1), told('a', 2), told('a', 4, { gone: true })];
    expect(compareWatches(life.slice(0, 3), words).untrue).toEqual(['a gone, but it is there']);
  });

  it('finds each single word that is left out of a true account', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), (length, chosen) => {
        const truth = Array.from({ length }, (_, index) => was('a', index + 1, index + 1 === length));
        const words = truth.map(({ version, ended }) => told('a', version, { gone: ended }));
        words.splice(chosen % length, 1);
        expect(compareWatches(truth, words).missed).toHaveLength(1);
      }),
    );
  });
});
