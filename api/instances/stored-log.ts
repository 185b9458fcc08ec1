import { decompressText } from '../../db/compressed-text.js';
import type { Database } from '../../db/database.js';
import { HostUnavailableError } from '../../hosts/model-host.js';
import { Refusal } from '../http/refusal.js';

/** The log that an instance left behind when it ended; null when it left none. */
export async function readStoredLog(
  database: Database,
  { instance_id, expires_on }: { readonly instance_id: string; readonly expires_on: string },
): Promise<string | null> {
  const [kept] = await database.rows<{ log: Buffer }>(
    `select log from instance_log where expires_on = $1 and instance_id = $2`,
    [expires_on, instance_id],
  );
  return kept ? decompressText(kept.log) : null;
}

/** What asking the host gives. @throws Refusal 503 in words when the host can't be asked now */
export async function askHost<Answer>(instanceId: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HostUnavailableError)) throw error;
    const why = `The host of instance ${instanceId} can not be asked for its log: ${error.message}`;
    throw new Refusal(503, why);
  }
}

export const noLogs = () => new Refusal(404, 'No logs found for instance');
