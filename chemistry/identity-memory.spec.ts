import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdentityMemory } from './identity-memory.js';

const identityOf = (text: string) =>
  text.startsWith('no') ? null : { canonicalSmiles: text.toLowerCase(), inchiKey: `key of ${text}` };

/** Identifies at once and keeps what it was asked. */
function countingIdentify() {
  const asked: (readonly string[])[] = [];
  const identify = async (texts: readonly string[]) => {
    asked.push(texts);
    return texts.map(identityOf);
  };
  return { asked, identify };
}

describe('IdentityMemory', () => {
  it('asks once for each different text, and not again later', async () => {
    const memory = new IdentityMemory();
    const { asked, identify } = countingIdentify();
    await memory.answer(['C', 'CC', 'C'], identify);
    expect(await memory.answer(['CC', 'CCC', 'C'], identify)).toEqual(['CC', 'CCC', 'C'].map(identityOf));
    await memory.answer(['CCC'], identify);
    expect(asked).toEqual([['C', 'CC'], ['CCC']]);
  });

  it('asks again for what was no molecule, because the machine may only have been busy', async () => {
    const memory = new IdentityMemory();
    expect(await memory.answer(['CC'], async () => [null])).toEqual([null]);
    expect(await memory.answer(['CC'], countingIdentify().identify)).toEqual([identityOf('CC')]);
  });

  it('does not keep texts of more than 200 characters', async () => {
    const memory = new IdentityMemory();
    const { asked, identify } = countingIdentify();
    const long = 'C'.repeat(201);
    await memory.answer([long], identify);
    await memory.answer([long], identify);
    expect(asked).toEqual([[long], [long]]);
  });

  it('keeps nothing of an answer that failed', async () => {
    const memory = new IdentityMemory();
    await expect(memory.answer(['C'], () => Promise.reject(new Error('no thread')))).rejects.toThrow(
      'no thread',
    );
    expect(await memory.answer(['C'], countingIdentify().identify)).toEqual([identityOf('C')]);
  });

  it('gives each text its own answer in order, whatever was asked before', async () => {
    const texts = fc.array(fc.constantFrom('C', 'N', 'O', 'no', 'none', 'S', 'P'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { maxLength: 5 }), async (calls) => {
        const memory = new IdentityMemory();
        for (const call of calls) {
          expect(await memory.answer(call, countingIdentify().identify)).toEqual(call.map(identityOf));
        }
      }),
    );
  });
});
