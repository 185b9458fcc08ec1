/** The one task queue: every worker can do everything. */
export const HUB_TASK_QUEUE = 'hub';
