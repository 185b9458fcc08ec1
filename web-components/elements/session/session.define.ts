import { defineOnce } from '../define-once.js';
import { HubSession } from './session.js';

defineOnce('hub-session', HubSession);

declare global {
  interface HTMLElementTagNameMap {
    'hub-session': HubSession;
  }
}
