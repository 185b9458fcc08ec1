import { z } from 'zod';
import { integerSetting } from '../../domain/settings.js';

/** Settings of a model server. They come from whoever starts it, as a container's would. */
export const modelServerSettings = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address a model server listens on.'),
  PORT: integerSetting(0, 65_535).default(80).describe('Port a model server listens on; 0 takes a free one.'),
});
