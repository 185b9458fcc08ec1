import { ApiError } from '../../client/api-error.js';
import { refreshSession } from '../../client/api-client.js';
import type { LoginResponse } from '../../client/api-schemas.js';
import { keepText } from '../browser-store.js';

/** A session with the moment it came, by this machine's clock: the hub's clock may differ. */
export interface KeptSession {
  readonly login: LoginResponse;
  /** In ms since 1970. */
  readonly receivedAt: number;
}

/** After a renewal that failed for want of a connection, in ms. */
const retryAfterMs = 20_000;
/** Timers cannot wait longer than this, in ms. */
const longestWaitMs = 2_000_000_000;

/**
 * Keeps one session alive: renews it at half its life, shares it between tabs through local storage if asked to, and
 * ends it when the hub refuses its token. Renewals and refusals take turns, by a lock also between tabs: a renewal
 * makes the old token worthless before the new one is here.
 */
export class SessionKeeper {
  private kept: KeptSession | null = null;
  private baseUrl = '';
  private storage: Storage | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isRunning = false;
  private lastTurn: Promise<unknown> = Promise.resolve();

  constructor(private readonly changed: (kept: KeptSession | null, why: 'signed-out' | 'expired') => void) {}

  get current(): KeptSession | null {
    return this.kept;
  }

  /**
   * Begins, or goes on, to keep the session of a hub; with a storage, takes up the one that another page or an earlier
   * visit left. The session of another hub is dropped: its token is none of this hub's business.
   */
  start(baseUrl: string, storage: Storage | null): void {
    if (baseUrl !== this.baseUrl) this.drop('signed-out');
    this.baseUrl = baseUrl;
    this.storage = storage;
    this.isRunning = true;
    addEventListener('storage', this.onStorage);
    document.addEventListener('visibilitychange', this.onVisible);
    const stored = this.readStored() ?? this.kept;
    if (stored) this.adopt(stored);
  }

  stop(): void {
    this.isRunning = false;
    clearTimeout(this.timer);
    removeEventListener('storage', this.onStorage);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  /** Takes up a fresh session and writes it where other tabs see it. */
  keep(login: LoginResponse): void {
    const kept = { login, receivedAt: Date.now() };
    keepText(this.storage, this.storageKey, JSON.stringify(kept));
    this.adopt(kept);
  }

  /** Ends the session here and in other tabs. */
  end(why: 'signed-out' | 'expired'): void {
    this.storage?.removeItem(this.storageKey);
    this.drop(why);
  }

  /**
   * The one place where a refused token is answered: another token of the same person that is worth trying, or null
   * when the session is over.
   */
  async renew(refusedToken: string, userId: string): Promise<string | null> {
    await this.inTurn(async () => {
      const stored = this.readStored();
      if (stored && tokenOf(stored) !== refusedToken && tokenOf(stored) !== tokenOf(this.kept))
        this.adopt(stored);
      if (tokenOf(this.kept) === refusedToken) this.end('expired');
    });
    return userOf(this.kept) === userId ? tokenOf(this.kept) : null;
  }

  private get storageKey(): string {
    return `hub-session ${this.baseUrl || location.origin}`;
  }

  private adopt(kept: KeptSession): void {
    // Another tab may have changed persons at a stroke: what belongs to the first goes with its sign-out.
    if (userOf(this.kept) !== userOf(kept)) this.drop('signed-out');
    this.kept = kept;
    this.schedule(dueAt(kept) - Date.now());
    this.changed(kept, 'signed-out');
  }

  private drop(why: 'signed-out' | 'expired'): void {
    clearTimeout(this.timer);
    if (this.kept === null) return;
    this.kept = null;
    this.changed(null, why);
  }

  private schedule(waitMs: number): void {
    clearTimeout(this.timer);
    if (!this.isRunning) return;
    this.timer = setTimeout(() => void this.refresh(), Math.min(Math.max(waitMs, 0), longestWaitMs));
  }

  private async refresh(): Promise<void> {
    await this.inTurn(async () => {
      const stored = this.readStored();
      if (stored && tokenOf(stored) !== tokenOf(this.kept)) return this.adopt(stored);
      const before = this.kept;
      if (before === null) return;
      if (dueAt(before) > Date.now()) return this.schedule(dueAt(before) - Date.now());
      await this.refreshNow(before);
    });
  }

  private async refreshNow(before: KeptSession): Promise<void> {
    const token = before.login.session.session_token;
    try {
      const session = await refreshSession({ baseUrl: this.baseUrl, token });
      if (this.kept === before) this.keep({ ...before.login, session });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.kept !== before) return;
      // Without an answer the session may still be good; whoever calls the hub meanwhile sees the fault himself.
      if (error.status === 401) this.end('expired');
      else this.schedule(retryAfterMs);
    }
  }

  /** Runs work when none of this page, nor of another tab, runs; pages not served securely have no lock over tabs. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const isShared = this.storage !== null && isSecureContext;
    const turn = this.lastTurn.then(() =>
      isShared ? navigator.locks.request(this.storageKey, work) : work(),
    );
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private readonly onStorage = (event: StorageEvent): void => {
    if (event.storageArea !== this.storage || event.key !== this.storageKey) return;
    const stored = this.readStored();
    if (stored === null) this.drop('signed-out');
    else if (tokenOf(stored) !== tokenOf(this.kept)) this.adopt(stored);
  };

  /** Timers sleep with the machine; whoever comes back to the tab must not meet a session that is over. */
  private readonly onVisible = (): void => {
    if (document.visibilityState === 'visible' && this.kept) this.schedule(dueAt(this.kept) - Date.now());
  };

  private readStored(): KeptSession | null {
    const text = this.storage?.getItem(this.storageKey) ?? null;
    const stored = text === null ? null : parseKept(text);
    return stored && endsAt(stored) > Date.now() ? stored : null;
  }
}

/** What another version of this page stored is no session. */
function parseKept(text: string): KeptSession | null {
  try {
    const kept = JSON.parse(text) as Partial<KeptSession> | null;
    return typeof kept?.login?.session.session_token === 'string' ? (kept as KeptSession) : null;
  } catch (error) {
    console.warn('The session stored in this browser cannot be read; signing in again replaces it.', error);
    return null;
  }
}

const userOf = (kept: KeptSession | null) => kept?.login.session.userid ?? null;
const tokenOf = (kept: KeptSession | null) => kept?.login.session.session_token ?? null;
const lifeMs = (kept: KeptSession) => kept.login.session.session_max_age_seconds * 1000;
const dueAt = (kept: KeptSession) => kept.receivedAt + lifeMs(kept) / 2;
const endsAt = (kept: KeptSession) => kept.receivedAt + lifeMs(kept);
