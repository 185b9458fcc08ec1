import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ObjectChange, ObjectState, type VersionedObject } from './object-state.js';

const seen = (uid: string, version: number, name = 'a'): VersionedObject => ({ name, uid, version });

interface Word {
  readonly gone: boolean;
  readonly object: VersionedObject;
}

/** The whole story of one name: several lives one after the other, each begun, changed and, but for the last, ended. */
const stories = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })
  .chain((lives) => fc.boolean().map((lastEnds) => tellStory(lives, lastEnds)));

function tellStory(lives: readonly number[], lastEnds: boolean): Word[] {
  let version = 0;
  return lives.flatMap((changes, life) => {
    const words = Array.from({ length: changes }, () => ({
      gone: false,
      object: seen(`uid-${life}`, ++version),
    }));
    const ends = lastEnds || life < lives.length - 1;
    return ends ? [...words, { gone: true, object: seen(`uid-${life}`, ++version) }] : words;
  });
}

function follow(changes: readonly ObjectChange<VersionedObject>[]): Map<string, VersionedObject> {
  const known = new Map<string, VersionedObject>();
  for (const { type, object } of changes) {
    if (type === 'gone') known.delete(object.uid);
    else known.set(object.uid, object);
  }
  return known;
}

describe('the state of watched objects', () => {
  it('tells a change once, and nothing that is older than what is known', () => {
    const state = new ObjectState();
    expect(state.take(false, seen('1', 5))).toEqual([{ type: 'changed', object: seen('1', 5) }]);
    expect(state.take(false, seen('1', 5))).toEqual([]);
    expect(state.take(false, seen('1', 4))).toEqual([]);
  });

  it('tells the end of the first when another takes its name', () => {
    const state = new ObjectState();
    state.take(false, seen('1', 5));
    expect(state.take(false, seen('2', 7)).map(({ type, object }) => [type, object.uid])).toEqual([
      ['gone', '1'],
      ['changed', '2'],
    ]);
    expect(state.take(true, seen('1', 6))).toEqual([]);
  });

  it('does not bring back what has ended, also when the list said so', () => {
    const state = new ObjectState();
    state.replace([seen('1', 5), seen('2', 6, 'b')]);
    state.replace([seen('2', 6, 'b')]);
    expect(state.take(false, seen('1', 9))).toEqual([]);
    expect(state.take(true, seen('2', 8, 'b'))).toHaveLength(1);
    expect(state.take(false, seen('2', 9, 'b'))).toEqual([]);
  });

  it('ends where the story ends, in whatever order and however often its words come', () => {
    const shuffledStory = stories.chain((story) =>
      fc.record({
        story: fc.constant(story),
        told: fc
          .array(fc.constantFrom(...story), { maxLength: 10 })
          .chain((again) =>
            fc.shuffledSubarray([...story, ...again], { minLength: story.length + again.length }),
          ),
      }),
    );
    fc.assert(
      fc.property(shuffledStory, ({ story, told }) => {
        const state = new ObjectState();
        const known = follow(told.flatMap(({ gone, object }) => state.take(gone, object)));
        const last = story.at(-1)!;
        expect([...known.values()]).toEqual(last.gone ? [] : [last.object]);
      }),
      { numRuns: 500 },
    );
  });
});
