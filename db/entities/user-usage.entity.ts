import { defineEntity, p } from '@mikro-orm/core';

const UserUsageSchema = defineEntity({
  name: 'UserUsage',
  tableName: 'user_usage',
  properties: {
    userId: p.text().primary(),
    decayedSeconds: p.double().default(0),
    asOf: p.datetime().columnType('timestamptz').defaultRaw('now()'),
  },
});

/** Decayed seconds of instance time a user has had; `asOf` is when the figure was true. */
export class UserUsage extends UserUsageSchema.class {}
UserUsageSchema.setClass(UserUsage);
