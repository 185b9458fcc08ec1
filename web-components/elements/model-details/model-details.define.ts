import { defineOnce } from '../define-once.js';
import { HubModelDetails } from './model-details.js';

defineOnce('hub-model-details', HubModelDetails);

declare global {
  interface HTMLElementTagNameMap {
    'hub-model-details': HubModelDetails;
  }
}
