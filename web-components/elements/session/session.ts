import { ContextProvider } from '@lit/context';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { signIn, signInAsGuest, signOut } from '../../client/api-client.js';
import { ApiError } from '../../client/api-error.js';
import type { LoginResponse } from '../../client/api-schemas.js';
import { type HubConnection, hubConnectionContext } from '../../client/connection.js';
import { controls } from '../../styles/controls.js';
import { tokens } from '../../styles/tokens.js';
import { openStore } from '../browser-store.js';
import { errorNotice } from '../notices.js';
import { type KeptSession, SessionKeeper } from './session-keeper.js';
import { sessionStyles } from './session.styles.js';

/** Detail of `hub-session-changed`. */
export interface HubSessionChange {
  readonly state: 'signed-out' | 'expired' | 'guest' | 'user';
  readonly userName: string | null;
  readonly permissions: readonly string[];
}

/**
 * Signs in, as a guest or with user name and password, keeps the session alive and hands base URL and token to every
 * hub element inside it. Content is shown once somebody is signed in, and stays, forms intact, when a session ends.
 *
 * @slot - the page's content
 * @fires hub-session-changed - somebody signed in or out, or a session ended; bubbles; detail: HubSessionChange
 * @csspart panel - the sign-in panel
 */
export class HubSession extends LitElement {
  static override styles = [tokens, controls, sessionStyles];

  /** Origin of the hub; absent: the page's own. */
  @property({ attribute: 'base-url' }) baseUrl: string | null = null;
  /** A token from the surrounding page: it is handed on, and nobody is asked to sign in. */
  @property() token: string | null = null;
  /** Keep the session in local storage, for reloads and other tabs. */
  @property({ type: Boolean }) persist = false;

  @state() private kept: KeptSession | null = null;
  @state() private expired = false;
  @state() private busy = false;
  @state() private error: ApiError | null = null;
  @query('.content') private readonly content!: HTMLElement;
  @query('#username') private readonly userName!: HTMLInputElement;
  @query('#password') private readonly password!: HTMLInputElement;

  private readonly provider = new ContextProvider(this, { context: hubConnectionContext });
  private readonly keeper = new SessionKeeper((kept, why) => this.sessionChanged(kept, why));

  override connectedCallback(): void {
    super.connectedCallback();
    this.keepSession();
    this.provide();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.keeper.stop();
  }

  /** Starts a guest session. */
  async signInAsGuest(): Promise<void> {
    await this.attempt(() => signInAsGuest({ baseUrl: this.origin, token: null }));
  }

  /** Ends the session here and at the hub. It ends here even if the hub cannot be told. */
  async signOut(): Promise<void> {
    const connection = this.provider.value;
    this.keeper.end('signed-out');
    try {
      await signOut(connection);
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A token the hub no longer knows is as good as signed out.
      this.error = error.status === 401 ? null : error;
    }
  }

  private keepSession(): void {
    this.keeper.start(this.origin, this.persist ? openStore('localStorage') : null);
  }

  private get origin(): string {
    return (this.baseUrl ?? '').replace(/\/+$/, '');
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('baseUrl') && this.isConnected) this.keepSession();
    if (changed.has('token') || changed.has('baseUrl')) this.provide();
  }

  private provide(): void {
    const session = this.keeper.current?.login.session;
    const connection: HubConnection = {
      baseUrl: this.origin,
      token: this.token ?? session?.session_token ?? null,
      ...(this.token === null &&
        session && {
          userId: session.userid,
          renew: (refused: string) => this.keeper.renew(refused, session.userid),
        }),
    };
    this.provider.setValue(connection);
  }

  private sessionChanged(kept: KeptSession | null, why: 'signed-out' | 'expired'): void {
    const isRenewal = kept?.login.session.userid === this.kept?.login.session.userid && kept !== null;
    this.kept = kept;
    this.expired = kept === null && why === 'expired';
    this.provide();
    if (isRenewal) return;
    this.dispatchEvent(
      new CustomEvent<HubSessionChange>('hub-session-changed', {
        detail: toChange(kept?.login ?? null, why),
        bubbles: true,
        composed: true,
      }),
    );
  }

  private async attempt(ask: () => Promise<LoginResponse>): Promise<void> {
    this.busy = true;
    this.error = null;
    const { origin } = this;
    try {
      const login = await ask();
      if (origin !== this.origin) return;
      this.keeper.keep(login);
      await this.updateComplete;
      this.content.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    } finally {
      this.busy = false;
    }
  }

  private readonly onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    const connection = { baseUrl: this.origin, token: null };
    void this.attempt(() => signIn(connection, this.userName.value, this.password.value));
  };

  protected override render() {
    const isSignedIn = this.token !== null || this.kept !== null;
    return html`
      ${isSignedIn ? nothing : this.renderPanel()}
      <div class="content" tabindex="-1" ?hidden=${!isSignedIn && !this.expired}><slot></slot></div>
    `;
  }

  private renderPanel() {
    return html`
      <section class="panel" part="panel" aria-labelledby="title">
        <h2 id="title">${this.expired ? 'Your session has ended' : 'How do you want to start?'}</h2>
        ${
          this.expired
            ? html`<p role="status">Sign in again to go on. What you entered below is kept.</p>`
            : nothing
        }
        ${this.error ? errorNotice(this.error) : nothing}
        <div class="ways">
          <div class="way">
            <h3>As a guest</h3>
            <p class="muted">
              No account, no e-mail address. Your requests can be reached from this browser while the guest
              session lasts.
            </p>
            <button
              class="primary"
              type="button"
              ?disabled=${this.busy}
              @click=${() => void this.signInAsGuest()}
            >
              Continue as guest
            </button>
          </div>
          <form class="way" @submit=${this.onSubmit}>
            <h3>With an account</h3>
            <div class="field">
              <label for="username">User name</label>
              <input id="username" name="username" autocomplete="username" required />
            </div>
            <div class="field">
              <label for="password">Password</label>
              <input id="password" name="password" type="password" autocomplete="current-password" required />
            </div>
            <button type="submit" ?disabled=${this.busy}>Sign in</button>
          </form>
        </div>
      </section>
    `;
  }
}

function toChange(login: LoginResponse | null, why: 'signed-out' | 'expired'): HubSessionChange {
  if (login === null) return { state: why, userName: null, permissions: [] };
  const isGuest = login.session.auth_type === 'ErsiliaAnonymous';
  return {
    state: isGuest ? 'guest' : 'user',
    userName: isGuest ? null : login.user.username,
    permissions: login.effective_permissions,
  };
}
