import { parseSettings } from '../domain/settings.js';
import { databaseSettings } from './database.config.js';
import { migrate, NewerDatabaseError } from './migrate.js';
import { retentionSettings } from './retention.config.js';

const { DATABASE_URL } = parseSettings(databaseSettings, process.env);
const retention = parseSettings(retentionSettings, process.env);
try {
  const ran = await migrate(DATABASE_URL, retention);
  console.log(ran.length > 0 ? `migrated: ${ran.join(', ')}` : 'the schema is up to date');
} catch (error) {
  // A refusal says all there is to say; of everything else the place matters.
  if (error instanceof NewerDatabaseError) console.error(error.message);
  else console.error("the database could not be brought to this version's schema:", error);
  process.exitCode = 1;
}
