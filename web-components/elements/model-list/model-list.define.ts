import { HubModelList } from './model-list.js';

customElements.define('hub-model-list', HubModelList);

declare global {
  interface HTMLElementTagNameMap {
    'hub-model-list': HubModelList;
  }
}
