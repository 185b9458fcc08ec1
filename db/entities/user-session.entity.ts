import { defineEntity, p } from '@mikro-orm/core';
import { authTypes } from '../../domain/session/session.wire.js';
import { AppUser } from './app-user.entity.js';

const UserSessionSchema = defineEntity({
  name: 'UserSession',
  tableName: 'user_session',
  indexes: [
    { name: 'user_session_user', properties: ['user'] },
    { name: 'user_session_expires', properties: ['expiresAt'] },
  ],
  uniques: [{ name: 'user_session_token', properties: ['tokenSha256'] }],
  properties: {
    sessionId: p.text().primary(),
    user: () =>
      p
        .manyToOne(AppUser)
        .ref()
        .deleteRule('cascade')
        .updateRule('no action')
        .index(false)
        .foreignKeyName('user_session_user_id_fkey'),
    tokenSha256: p.blob(),
    authType: p.enum(authTypes).columnType('text'),
    maxAgeSeconds: p.integer(),
    startTime: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    expiresAt: p.datetime().columnType('timestamptz'),
  },
});

/** A signed-in browser or client. The token itself is never stored. */
export class UserSession extends UserSessionSchema.class {}
UserSessionSchema.setClass(UserSession);
