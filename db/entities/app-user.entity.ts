import { defineEntity, p } from '@mikro-orm/core';
import { userKinds } from '../../domain/session/user-kind.js';

const AppUserSchema = defineEntity({
  name: 'AppUser',
  tableName: 'app_user',
  uniques: [
    {
      name: 'app_user_username',
      expression: `create unique index app_user_username on app_user (lower(username)) where kind = 'registered'`,
    },
  ],
  properties: {
    id: p.text().primary().defaultRaw('(uuidv7())::text'),
    kind: p.enum(userKinds).columnType('text'),
    username: p.text(),
    firstName: p.text(),
    lastName: p.text(),
    email: p.text().nullable(),
    passwordHash: p.text().nullable(),
    signUpDate: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    lastUpdated: p.datetime().columnType('timestamptz').defaultRaw('now()'),
  },
});

/** Who uses the hub: registered with a name of their own (unique, whatever its case), or a guest. */
export class AppUser extends AppUserSchema.class {}
AppUserSchema.setClass(AppUser);
