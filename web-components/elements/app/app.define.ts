import '../model-details/model-details.define.js';
import '../session/session.define.js';
import '../work-request-form/work-request-form.define.js';
import '../work-request-list/work-request-list.define.js';
import '../work-request-status/work-request-status.define.js';
import { defineOnce } from '../define-once.js';
import { HubApp } from './app.js';

defineOnce('hub-app', HubApp);

declare global {
  interface HTMLElementTagNameMap {
    'hub-app': HubApp;
  }
}
