import { HubModelDetails } from './model-details.js';

customElements.define('hub-model-details', HubModelDetails);

declare global {
  interface HTMLElementTagNameMap {
    'hub-model-details': HubModelDetails;
  }
}
