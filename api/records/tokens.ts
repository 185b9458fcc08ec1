/** Names under which Nest hands out what is no class. */
export const SETTINGS = Symbol('settings of the api process');
export const DATABASE = Symbol('database');
export const NOTIFICATIONS = Symbol('notifications');
export const TEMPORAL = Symbol('Temporal client');
export const LOG_READER = Symbol('reader of logs');
export const CHEMISTRY = Symbol('chemistry');
