import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdentificationDetails } from './model.wire.js';
import { readIdentification } from './read-identification.js';

const record = {
  Identifier: 'eos4e40',
  Title: 'Broad spectrum antibiotic activity',
  Description: ' Says which molecules stop bacteria. ',
  Interpretation: 'Probability',
  Slug: 'chemprop-antibiotic',
  GitHub: 'https://example.org/eos4e40',
  Publication: 'https://example.org/paper',
  'Target Organism': ['Escherichia coli', ' Staphylococcus aureus '],
  'Biomedical Area': ['Antimicrobial resistance'],
};

describe('what a published record says of a model', () => {
  it('is read field by field', () => {
    expect(readIdentification(record)).toEqual({
      title: 'Broad spectrum antibiotic activity',
      description: 'Says which molecules stop bacteria.',
      interpretation: 'Probability',
      slug: 'chemprop-antibiotic',
      source_code: 'https://example.org/eos4e40',
      publication: 'https://example.org/paper',
      target_organisms: ['Escherichia coli', 'Staphylococcus aureus'],
      biomedical_areas: ['Antimicrobial resistance'],
    });
  });

  it('has lists also where they come as texts with commas', () => {
    const { 'Target Organism': organisms, 'Biomedical Area': areas, ...rest } = record;
    const asTexts = { ...rest, 'Target Organism': organisms.join(','), 'Biomedical Area': areas.join(',') };
    expect(readIdentification(asTexts)).toEqual(readIdentification(record));
    expect(readIdentification({ 'Target Organism': '' })?.target_organisms).toEqual([]);
  });

  it('is null where it says nothing or something odd', () => {
    const odd = readIdentification({
      Title: 7,
      'Target Organism': { a: 1 },
      Description: 'x'.repeat(30_000),
    });
    expect(Object.values(odd!)).toEqual(Array(8).fill(null));
    expect(readIdentification({ 'Target Organism': ['a', 7, '', null] })?.target_organisms).toEqual(['a']);
    for (const none of [null, 'text', 7, []]) expect(readIdentification(none)).toBeNull();
  });

  it('has the shape of the wire whatever was published', () => {
    const keys = fc.constantFrom(...Object.keys(record));
    const published = fc.dictionary(keys, fc.jsonValue({ stringUnit: 'binary' }));
    fc.assert(
      fc.property(fc.oneof(published, fc.jsonValue()), (given) => {
        const read = readIdentification(given);
        if (read !== null) expect(IdentificationDetails.parse(read)).toEqual(read);
        expect(JSON.stringify(read)).not.toMatch(/\\u0000|\\ud[89a-f]/);
      }),
    );
  });
});
