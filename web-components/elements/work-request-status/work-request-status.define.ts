import { HubWorkRequestStatus } from './work-request-status.js';

customElements.define('hub-work-request-status', HubWorkRequestStatus);

declare global {
  interface HTMLElementTagNameMap {
    'hub-work-request-status': HubWorkRequestStatus;
  }
}
