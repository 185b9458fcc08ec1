import { parseArgs } from 'node:util';
import { runProof, type ProofResult } from './proof.js';
import { proofs } from './proofs.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, small: { type: 'boolean', default: false } },
});
const chosen = positionals.length > 0 ? proofs.filter(({ name }) => positionals.includes(name)) : proofs;
const unknown = positionals.filter((name) => !proofs.some((proof) => proof.name === name));
if (unknown.length > 0) {
  console.error(
    `no proof is called ${unknown.join(' or ')}; there are: ${proofs.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const seed = values.seed === undefined ? Math.trunc(Math.random() * 1_000_000) : Number(values.seed);
const results: ProofResult[] = [];
for (const proof of chosen) {
  const startedAt = performance.now();
  results.push(await runProof(proof, { seed, small: values.small, print: (line) => console.log(line) }));
  console.log(`  took ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
}
for (const { name, claims, failed } of results) {
  console.log(
    failed.length === 0 ? `${name}: holds (${claims} claims)` : `${name}: MISSED: ${failed.join('; ')}`,
  );
}
process.exit(results.every(({ failed }) => failed.length === 0) ? 0 : 1);
