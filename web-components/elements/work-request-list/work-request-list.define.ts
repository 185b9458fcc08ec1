import { HubWorkRequestList } from './work-request-list.js';

customElements.define('hub-work-request-list', HubWorkRequestList);

declare global {
  interface HTMLElementTagNameMap {
    'hub-work-request-list': HubWorkRequestList;
  }
}
