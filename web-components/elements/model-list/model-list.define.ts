import { defineOnce } from '../define-once.js';
import { HubModelList } from './model-list.js';

defineOnce('hub-model-list', HubModelList);

declare global {
  interface HTMLElementTagNameMap {
    'hub-model-list': HubModelList;
  }
}
