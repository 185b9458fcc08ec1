import type { AuthType } from '../../domain/session/session.wire.js';

export type UserKind = 'registered' | 'guest';

/** A caller with a valid session, as routes see it. */
export interface SignedIn {
  readonly userId: string;
  readonly kind: UserKind;
  readonly sessionId: string;
  /** Of the token that proved it. */
  readonly tokenSha256: Buffer;
  readonly authType: AuthType;
  readonly permissions: readonly string[];
  /** Milliseconds the session had left, by the database's clock, when it was read. */
  readonly leftMs: number;
}

export const isAdmin = (caller: SignedIn) => caller.permissions.includes('ADMIN');
