export const observeUsageName = 'observeUsage';
/** There is one, for ever. */
export const OBSERVE_USAGE_WORKFLOW_ID = 'usage-observer';
