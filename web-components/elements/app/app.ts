import { html, LitElement, nothing } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { controls } from '../../styles/controls.js';
import { tokens } from '../../styles/tokens.js';
import { openStore } from '../browser-store.js';
import type { HubSession, HubSessionChange } from '../session/session.js';
import { writeDraft } from '../work-request-form/input-draft.js';
import type { HubWorkRequestForm } from '../work-request-form/work-request-form.js';
import { appStyles } from './app.styles.js';
import { type Route, titleOf, toRoute } from './routes.js';

const dropEvents = ['dragover', 'drop'] as const;
/** What is typed on one of the page's forms is there on the next. */
const draftKey = 'page';
const signedOut: HubSessionChange = { state: 'signed-out', userName: null, permissions: [] };

/**
 * The hub's own page: header, one view per address, back and forward as the browser has them. It is made of the other
 * elements and adds nothing that they could not do elsewhere.
 */
export class HubApp extends LitElement {
  static override styles = [tokens, controls, appStyles];

  /** Origin of the hub; absent: the page's own. */
  @property({ attribute: 'base-url' }) baseUrl: string | null = null;

  @state() private route: Route = toRoute(location.pathname);
  @state() private session: HubSessionChange = signedOut;
  @query('main') private readonly main!: HTMLElement;
  @query('hub-session') private readonly hubSession!: HubSession;
  @query('hub-work-request-form') private readonly form!: HubWorkRequestForm | null;

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('popstate', this.onPopState);
    for (const type of dropEvents) addEventListener(type, refuseStrayFile);
    this.addEventListener('click', this.onClick);
    this.show(toRoute(location.pathname));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('popstate', this.onPopState);
    for (const type of dropEvents) removeEventListener(type, refuseStrayFile);
    this.removeEventListener('click', this.onClick);
  }

  private show(route: Route): void {
    this.route = route;
    document.title = titleOf(route);
  }

  private async go(path: string): Promise<void> {
    history.pushState(null, '', path);
    this.show(toRoute(location.pathname));
    await this.focusMain();
    scrollTo({ top: 0 });
  }

  /** Readers of a screen hear the new view; the keyboard goes on from its beginning. */
  private async focusMain(): Promise<void> {
    await this.updateComplete;
    this.main.focus({ preventScroll: true });
  }

  private readonly onPopState = (): void => {
    this.show(toRoute(location.pathname));
    void this.focusMain();
  };

  /** The button that was pressed goes with the session. */
  private readonly onSignOut = (): void => {
    void this.hubSession.signOut();
    void this.focusMain();
  };

  /** Links inside the page change the view; with a modifier, or to elsewhere, they are the browser's. */
  private readonly onClick = (event: MouseEvent): void => {
    const anchor = isPlainClick(event) ? linkOf(event) : null;
    if (anchor === null || toRoute(anchor.pathname).name === 'unknown') return;
    event.preventDefault();
    void this.go(anchor.pathname);
  };

  /** Who signs out leaves nothing to the next person at this machine; a session that ended by itself may go on. */
  private readonly onSessionChanged = (event: CustomEvent<HubSessionChange>): void => {
    this.session = event.detail;
    if (event.detail.state !== 'signed-out') return;
    this.form?.clear();
    writeDraft(openStore('sessionStorage'), draftKey, null);
  };

  private readonly onSubmitted = (event: CustomEvent<{ id: number }>): void => {
    void this.go(`/requests/${event.detail.id}`);
  };

  protected override render() {
    return html`
      <header>
        <button class="skip" type="button" @click=${() => this.main.focus()}>Skip to content</button>
        <div class="bar">
          <a class="brand" href="/">
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="m12 2.5 8.2 4.75v9.5L12 21.5l-8.2-4.75v-9.5z" />
              <path d="m12 7 4.3 2.5v5L12 17l-4.3-2.5v-5z" />
            </svg>
            Model hub
          </a>
          <nav aria-label="Main">
            ${this.renderLink('/', 'Run a model', 'submit')}
            ${this.renderLink('/requests', 'Requests', 'requests')}
          </nav>
          ${this.isSignedIn ? this.renderPerson() : nothing}
        </div>
      </header>
      <main id="main" tabindex="-1">
        ${this.session.state === 'signed-out' ? this.renderWelcome() : nothing}
        <hub-session
          persist
          .baseUrl=${this.baseUrl}
          @hub-session-changed=${this.onSessionChanged}
          @hub-work-request-submitted=${this.onSubmitted}
        >
          ${this.renderView(this.route)}
        </hub-session>
      </main>
      <footer>
        <div class="bar small muted">
          <a href="/api/v1/docs">API</a>
          <span>Results come as CSV, TSV or NDJSON, one row per molecule, in your order.</span>
        </div>
      </footer>
    `;
  }

  private get isSignedIn(): boolean {
    return this.session.state === 'guest' || this.session.state === 'user';
  }

  private renderWelcome() {
    return html`
      <h1>Chemistry models, run on your molecules</h1>
      <p class="lead muted">
        Paste SMILES or drop a file. The hub starts the model, feeds it your rows and gives every one of them
        back, in your order, with its result.
      </p>
    `;
  }

  private renderLink(path: string, label: string, name: Route['name']) {
    return html`<a href=${path} aria-current=${this.route.name === name ? 'page' : nothing}>${label}</a>`;
  }

  private renderPerson() {
    return html`
      <div class="person">
        <span class="small">${this.session.userName ?? 'Guest'}</span>
        <button class="quiet" type="button" @click=${this.onSignOut}>Sign out</button>
      </div>
    `;
  }

  private renderView(route: Route) {
    switch (route.name) {
      case 'submit':
        return html`
          <h1>Run a model on your molecules</h1>
          <p class="lead muted">Choose a model, give it SMILES, get one row back for every row you sent.</p>
          <hub-work-request-form draft-key=${draftKey}></hub-work-request-form>
        `;
      case 'requests':
        return html`
          <h1>Your requests</h1>
          <hub-work-request-list request-href="/requests/{id}">
            <a slot="empty" href="/">Run a model</a>
          </hub-work-request-list>
        `;
      case 'request':
        return html`<hub-work-request-status request-id=${route.id}></hub-work-request-status>`;
      case 'model':
        return html`
          <hub-model-details model-id=${route.id}></hub-model-details>
          <section class="run" aria-label="Run this model">
            <hub-work-request-form model-id=${route.id} draft-key=${draftKey}></hub-work-request-form>
          </section>
        `;
      case 'unknown':
        return html`
          <h1>There is nothing here</h1>
          <p>No page has the address <code>${route.path}</code>. <a href="/">Run a model</a></p>
        `;
    }
  }
}

/** A file dropped beside the form would be opened by the browser in place of the page. */
function refuseStrayFile(event: DragEvent): void {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes('Files')) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'none';
}

function isPlainClick(event: MouseEvent): boolean {
  const hasModifier = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return !event.defaultPrevented && event.button === 0 && !hasModifier;
}

/** The link of this site that was clicked, in whatever shadow tree. */
function linkOf(event: MouseEvent): HTMLAnchorElement | null {
  const anchor = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
  if (!anchor || anchor.origin !== location.origin || anchor.hash !== '') return null;
  return anchor.target === '' && !anchor.hasAttribute('download') ? anchor : null;
}
