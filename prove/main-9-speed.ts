import { overhead } from '../bench/overhead.js';
import { throughput } from '../bench/throughput.js';
import type { Proof } from './proof.js';

/** Both benchmarks hold their floors; goals are reported. */
export const speed: Proof = {
  name: 'main-9',
  title: 'overhead of a request and requests per second: the floors hold, the goals are reported',
  async run(context) {
    await overhead.run(context);
    await throughput.run(context);
  },
};
