import '../model-list/model-list.define.js';
import { HubWorkRequestForm } from './work-request-form.js';

customElements.define('hub-work-request-form', HubWorkRequestForm);

declare global {
  interface HTMLElementTagNameMap {
    'hub-work-request-form': HubWorkRequestForm;
  }
}
