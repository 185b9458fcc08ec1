import { Model } from './model.entity.js';

/** Tables the ORM reads and writes as objects; the hot ones are reached by SQL. */
export const entities = [Model];
