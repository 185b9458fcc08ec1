/**
 * Everything for embedding in one module: importing it registers the elements. The session comes first, so that it is
 * there when the elements inside it look for one.
 */
import './elements/session/session.define.js';
import './elements/model-list/model-list.define.js';
import './elements/model-details/model-details.define.js';
import './elements/work-request-form/work-request-form.define.js';
import './elements/work-request-list/work-request-list.define.js';
import './elements/work-request-status/work-request-status.define.js';

export { HubModelDetails } from './elements/model-details/model-details.js';
export { HubModelList } from './elements/model-list/model-list.js';
export { HubSession } from './elements/session/session.js';
export { HubWorkRequestForm } from './elements/work-request-form/work-request-form.js';
export { HubWorkRequestList } from './elements/work-request-list/work-request-list.js';
export { HubWorkRequestStatus } from './elements/work-request-status/work-request-status.js';
