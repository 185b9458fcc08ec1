import { defineEntity, p } from '@mikro-orm/core';

const LeaderSchema = defineEntity({
  name: 'Leader',
  tableName: 'leader',
  properties: {
    name: p.text().primary(),
    holder: p.text(),
    fence: p.bigint('number'),
    expiresAt: p.datetime().columnType('timestamptz'),
  },
});

/** Who leads until when. `fence` grows with every new holder, so that a stale holder's writes are refused. */
export class Leader extends LeaderSchema.class {}
LeaderSchema.setClass(Leader);
