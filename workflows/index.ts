export { observeUsage } from './observe-usage.workflow.js';
export { processWorkRequest } from './process-work-request.workflow.js';
export { runModelInstance } from './run-model-instance.workflow.js';
