import { defineOnce } from '../define-once.js';
import { HubWorkRequestList } from './work-request-list.js';

defineOnce('hub-work-request-list', HubWorkRequestList);

declare global {
  interface HTMLElementTagNameMap {
    'hub-work-request-list': HubWorkRequestList;
  }
}
