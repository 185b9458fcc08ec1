import '../model-list/model-list.define.js';
import { defineOnce } from '../define-once.js';
import { HubWorkRequestForm } from './work-request-form.js';

defineOnce('hub-work-request-form', HubWorkRequestForm);

declare global {
  interface HTMLElementTagNameMap {
    'hub-work-request-form': HubWorkRequestForm;
  }
}
