/**
 * A process that seeks leadership. It says `leads` when it does, and for every message it gets it tries to write as
 * the leader and says `written` or why it was refused.
 */
import { seekLeadership } from '../../activities/leader/leadership.js';
import { databaseSettings } from '../../db/database.config.js';
import { openDatabase } from '../../db/database.js';
import { parseSettings } from '../../domain/settings.js';

const database = await openDatabase(parseSettings(databaseSettings, process.env));
const leadership = seekLeadership(database, {
  onGained: () => process.send!('leads'),
  onLost: () => process.send!('leads no more'),
  onError: (error) => process.send!(error.message),
});
process.on('message', () => {
  const write = database.transaction((sql) => leadership.assertLeading(sql));
  void write.then(
    () => process.send!('written'),
    (error: Error) => process.send!(error.name),
  );
});
process.once('disconnect', () => process.exit(0));
