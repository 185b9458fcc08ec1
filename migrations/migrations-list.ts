import { Migration0001Spine } from './migration-0001-spine.js';

/** Every migration in order; a name never changes once it has run anywhere. */
export const migrationsList = [{ name: 'migration-0001-spine', class: Migration0001Spine }];
