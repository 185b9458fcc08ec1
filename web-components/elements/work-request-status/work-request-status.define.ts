import { defineOnce } from '../define-once.js';
import { HubWorkRequestStatus } from './work-request-status.js';

defineOnce('hub-work-request-status', HubWorkRequestStatus);

declare global {
  interface HTMLElementTagNameMap {
    'hub-work-request-status': HubWorkRequestStatus;
  }
}
