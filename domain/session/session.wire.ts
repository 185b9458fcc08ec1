import { z } from 'zod';

export const authTypes = ['ErsiliaUser', 'ErsiliaAnonymous'] as const;
export type AuthType = (typeof authTypes)[number];

/** The session as clients keep it. Only the token decides who somebody is. */
export const Session = z
  .object({
    userid: z.string(),
    session_id: z.string(),
    session_token: z.string(),
    auth_type: z.enum(authTypes),
    session_max_age_seconds: z.number().int(),
    session_start_time: z.string(),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

export const User = z
  .object({
    id: z.string().nullable(),
    username: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    email: z.string().nullable(),
    sign_up_date: z.string().nullable(),
    last_updated: z.string().nullable(),
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof User>;

/** Answer of every sign-in. `Authorization: Bearer <session.session_token>` is all a client needs. */
export const LoginResponse = z
  .object({
    session: Session,
    user: User,
    permissions: z.array(z.string()).describe('ADMIN or nothing'),
    effective_permissions: z.array(z.string()),
  })
  .meta({ id: 'LoginResponse' });
export type LoginResponse = z.infer<typeof LoginResponse>;

/** `encoding` is base64 of `username:password`, split at the first colon, UTF-8. */
export const LoginRequest = z
  .object({ encoding: z.string().min(1).max(4096), auth_type: z.enum(authTypes) })
  .meta({ id: 'LoginRequest' });
export type LoginRequest = z.infer<typeof LoginRequest>;
