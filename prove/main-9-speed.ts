import { measureOverhead } from '../bench/overhead.js';
import { measureThroughput } from '../bench/throughput.js';
import { withWarmHub } from '../bench/warm-hub.js';
import type { Proof } from './proof.js';

/** Both benchmarks, on one hub, hold their floors; goals are reported. */
export const speed: Proof = {
  name: 'main-9',
  title: 'overhead of a request and requests per second: the floors hold, the goals are reported',
  run: (context) =>
    withWarmHub(async (warm) => {
      await measureOverhead(context, warm);
      await measureThroughput(context, warm);
    }),
};
