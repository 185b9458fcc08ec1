import { parseArgs } from 'node:util';
import { parseSettings } from '../domain/settings.js';
import { createNamedAdmin, grantPermission, type NewAccount, resetPassword } from './first-admin.js';
import { localSettings } from './local.config.js';
import { whichDatabase, withoutPassword } from './which-database.js';

const usage = `npm run admin -- create <user>               creates an administrator and prints its password
npm run admin -- reset-password <user>       gives a user a new password, prints it and ends its sessions
npm run admin -- grant <user> <permission>   gives a user a permission, e.g. ADMIN`;

async function run([command, username, permission]: readonly string[]): Promise<string> {
  const { HUB_DATA_DIR } = parseSettings(localSettings, process.env);
  const work = username && workOf(command, username, permission);
  if (!work) throw new Error(`what is to be done?\n${usage}`);
  const database = whichDatabase(HUB_DATA_DIR, process.env.DATABASE_URL?.trim());
  return `${await work(database)}, in the database ${withoutPassword(database)}`;
}

/** What the words ask for; undefined when they ask for nothing we know. */
function workOf(command: string | undefined, username: string, permission: string | undefined) {
  if (command === 'create') return async (url: string) => told(await createNamedAdmin(url, username));
  if (command === 'reset-password') return async (url: string) => told(await resetPassword(url, username));
  if (command !== 'grant' || !permission) return undefined;
  return async (url: string) => {
    await grantPermission(url, username, permission);
    return `${username} now has ${permission}`;
  };
}

const told = ({ username, password }: NewAccount) =>
  `user ${username}, password ${password} (shown only now)`;

try {
  const { positionals } = parseArgs({ allowPositionals: true });
  process.stdout.write(`${await run(positionals)}\n`);
} catch (error) {
  process.stderr.write(`admin: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
