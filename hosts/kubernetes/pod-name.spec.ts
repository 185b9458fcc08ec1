import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toLabelValue } from './hub-labels.js';
import { instanceIdOf, podNameOf } from './pod-name.js';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 100 }), fc.string({ maxLength: 100 }));

describe('the name of an instance’s pod', () => {
  it('says the id where a name can hold it, and is read back', () => {
    expect(podNameOf('01a1fdc1-3c1a-7608')).toBe('model-01a1fdc1-3c1a-7608');
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(instanceIdOf(podNameOf(id))).toBe(id);
      }),
    );
  });

  it('is a DNS label and always the same, whatever the id', () => {
    fc.assert(
      fc.property(text, (id) => {
        expect(podNameOf(id)).toMatch(DNS_LABEL);
        expect(podNameOf(id)).toBe(podNameOf(id));
      }),
    );
  });

  it('is another one for another id', () => {
    fc.assert(fc.property(text, text, (a, b) => a === b || podNameOf(a) !== podNameOf(b)));
  });

  it('belongs to no instance where the pod is someone else’s', () => {
    for (const name of ['postgres-0', 'model-', 'model-A', '']) expect(instanceIdOf(name)).toBeNull();
  });
});

describe('the value of a label', () => {
  it('is valid whatever it is made of, and the text itself where that is', () => {
    expect(toLabelValue('eos4e40')).toBe('eos4e40');
    fc.assert(fc.property(text, (value) => expect(toLabelValue(value)).toMatch(LABEL_VALUE)));
  });
});
