import { instances } from '../bench/instances.js';
import type { Proof } from './proof.js';

/** What `npm run bench instances` measures, held to its goals. */
export const kubernetes4IdleInstances: Proof = { ...instances, name: 'kubernetes-4' };
