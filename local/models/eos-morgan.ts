import type { LocalModel } from './local-model.js';

const bitCount = 2048;
const radius = 2;
const bitNames = Array.from({ length: bitCount }, (_, bit) => `bit_${String(bit).padStart(4, '0')}`);
const request = JSON.stringify({ radius, nBits: bitCount });

/** Morgan fingerprint: which surroundings of up to two bonds the molecule's atoms have, hashed to 2,048 bits. */
export const eosMorgan: LocalModel = {
  id: 'eos-morgan',
  version: 'v1.0.0',
  compute({ mol }) {
    const bits = mol.get_morgan_fp(request);
    return Object.fromEntries(bitNames.map((name, bit) => [name, bits[bit] === '1' ? 1 : 0]));
  },
};
