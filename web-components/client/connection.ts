import { createContext } from '@lit/context';

/**
 * Where a hub is and who is asking. Elements get it from their own `base-url` and `token` properties, or from a
 * `<hub-session>` around them.
 */
export interface HubConnection {
  /** Origin of the hub without a trailing slash; '' is the page's own origin. */
  readonly baseUrl: string;
  /** Session or personal token; null while nobody is signed in. */
  readonly token: string | null;
  /** Whose session it is; stays the same when the token is renewed. */
  readonly userId?: string;
  /**
   * Told once for every answer 401, with the token that was refused. Resolves to another token that is worth one more
   * try, or to null when the user has to sign in again.
   */
  readonly renew?: (refusedToken: string) => Promise<string | null>;
}

/** The key is global, so that two copies of this bundle in one page still find each other's session. */
export const hubConnectionContext = createContext<HubConnection>(Symbol.for('hub-connection'));
