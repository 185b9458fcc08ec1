/**
 * A process that seeks leadership. It says `leads` when it does. At the message `write` it tries to write as the leader
 * and says `written` or why it was refused; at `hold` it says `holding` in the middle of such a write and stays there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
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
process.on('message', (message) => {
  const write = database.transaction(async (sql) => {
    await leadership.assertLeading(sql);
    if (message !== 'hold') return;
    process.send!('holding');
    await sleep(60_000);
  });
  void write.then(
    () => process.send!('written'),
    (error: Error) => process.send!(error.name),
  );
});
process.once('disconnect', () => process.exit(0));
