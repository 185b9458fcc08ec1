import { databaseSettings } from '../../db/database.config.js';
import { openDatabase, type Database } from '../../db/database.js';
import { freshDatabase } from './database.js';

/** A migrated database of a spec's own, open; closing it removes it. */
export async function openTestDatabase(connections = 20): Promise<Database> {
  const testDatabase = await freshDatabase();
  const database = await openDatabase(
    databaseSettings.parse({
      DATABASE_URL: testDatabase.url,
      DATABASE_POOL_MAX_SIZE: String(connections),
    }),
  );
  return {
    ...database,
    async close() {
      await database.close();
      await testDatabase.drop();
    },
  };
}

/** One more pool on the same database, as another process has. */
export function openAnotherPool(database: Database, connections = 10): Promise<Database> {
  return openDatabase(
    databaseSettings.parse({ DATABASE_URL: database.url, DATABASE_POOL_MAX_SIZE: String(connections) }),
  );
}
