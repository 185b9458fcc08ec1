import { HubSession } from './session.js';

customElements.define('hub-session', HubSession);

declare global {
  interface HTMLElementTagNameMap {
    'hub-session': HubSession;
  }
}
