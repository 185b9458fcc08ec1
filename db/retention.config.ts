import { z } from 'zod';
import { integerSetting } from '../domain/settings.js';

/** How long data is kept, by kind of user. The date is fixed once, when a request is accepted. */
export const retentionSettings = z.object({
  GUEST_RETENTION_DAYS: integerSetting(0, 3650)
    .default(7)
    .describe("days a guest's request is kept; 0 keeps it for ever"),
  REGISTERED_RETENTION_DAYS: integerSetting(0, 3650)
    .default(7)
    .describe("days a registered user's request is kept; 0 keeps it for ever"),
  INSTANCE_RETENTION_DAYS: integerSetting(1, 3650)
    .default(30)
    .describe('days the events and logs of an instance are kept'),
});
export type RetentionSettings = z.infer<typeof retentionSettings>;
