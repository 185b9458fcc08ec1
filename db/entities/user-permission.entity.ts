import { defineEntity, p } from '@mikro-orm/core';
import { AppUser } from './app-user.entity.js';

const UserPermissionSchema = defineEntity({
  name: 'UserPermission',
  tableName: 'user_permission',
  properties: {
    user: () =>
      p
        .manyToOne(AppUser)
        .ref()
        .primary()
        .deleteRule('cascade')
        .updateRule('no action')
        .index(false)
        .foreignKeyName('user_permission_user_id_fkey'),
    permission: p.text().primary(),
    lastUpdated: p.datetime().columnType('timestamptz').defaultRaw('now()'),
  },
});

/** One named permission that one user holds. */
export class UserPermission extends UserPermissionSchema.class {}
UserPermissionSchema.setClass(UserPermission);
