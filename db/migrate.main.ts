import { parseSettings } from '../domain/settings.js';
import { databaseSettings } from './database.config.js';
import { migrate } from './migrate.js';
import { retentionSettings } from './retention.config.js';

const { DATABASE_URL } = parseSettings(databaseSettings, process.env);
const ran = await migrate(DATABASE_URL, parseSettings(retentionSettings, process.env));
console.log(ran.length > 0 ? `migrated: ${ran.join(', ')}` : 'the schema is up to date');
