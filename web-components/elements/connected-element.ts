import { ContextConsumer } from '@lit/context';
import { LitElement, type PropertyValues } from 'lit';
import { property } from 'lit/decorators.js';
import { type HubConnection, hubConnectionContext } from '../client/connection.js';

/**
 * An element that talks to a hub. With `base-url` or `token` of its own it needs nothing around it; without, it takes
 * both from the nearest `<hub-session>`.
 */
export abstract class ConnectedElement extends LitElement {
  /** Origin of the hub, e.g. `https://hub.example.org`; absent: the surrounding session's, else the page's own. */
  @property({ attribute: 'base-url' }) baseUrl: string | null = null;
  /** Session or personal token; absent: the surrounding session's. Prefer the property to the attribute. */
  @property() token: string | null = null;

  private readonly surrounding = new ContextConsumer(this, {
    context: hubConnectionContext,
    subscribe: true,
  });
  private identity: string | null = null;

  /** Where to ask and as whom; without a token nothing is asked. */
  protected get connection(): HubConnection {
    const { baseUrl, token } = this;
    if (baseUrl === null && token === null) return this.surrounding.value ?? { baseUrl: '', token: null };
    return { baseUrl: (baseUrl ?? '').replace(/\/+$/, ''), token };
  }

  /** Is there a token to ask with? */
  protected get isSignedIn(): boolean {
    return this.connection.token !== null;
  }

  /** Called before an update when the hub or the person changed; a renewed token of the same session is no change. */
  protected abstract connectionChanged(): void;

  override connectedCallback(): void {
    super.connectedCallback();
    // An element that was moved gave up its calls when it left, and nothing else asks for them again.
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.identity = null;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { baseUrl, token, userId } = this.connection;
    const identity = JSON.stringify([baseUrl, token === null ? null : (userId ?? token)]);
    if (identity === this.identity) return;
    this.identity = identity;
    this.connectionChanged();
  }
}
