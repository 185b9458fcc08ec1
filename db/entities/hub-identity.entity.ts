import { defineEntity, p } from '@mikro-orm/core';

const HubIdentitySchema = defineEntity({
  name: 'HubIdentity',
  tableName: 'hub_identity',
  properties: {
    id: p.text().primary(),
  },
});

/** Which hub this is: one row, made with the table. Whoever restores the database is the same hub again. */
export class HubIdentity extends HubIdentitySchema.class {}
HubIdentitySchema.setClass(HubIdentity);
