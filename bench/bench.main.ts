import { parseArgs } from 'node:util';
import { runProof } from '../prove/proof.js';
import { instances } from './instances.js';
import { lists } from './lists.js';
import { overhead } from './overhead.js';
import { throughput } from './throughput.js';

const benches = [overhead, throughput, instances, lists];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false } },
});
const chosen = benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(
    `no benchmark is called ${unknown.join(' or ')}; there are: ${benches.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

let missed = 0;
for (const bench of chosen) {
  const { failed } = await runProof(bench, {
    seed: 1,
    small: values.small,
    print: (line) => console.log(line),
  });
  missed += failed.length;
}
console.log(missed === 0 ? 'every floor holds' : `${missed} floors missed`);
process.exit(missed === 0 ? 0 : 1);
