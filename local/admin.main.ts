import { parseArgs } from 'node:util';
import { parseSettings } from '../domain/settings.js';
import { createNamedAdmin, grantPermission, type NewAccount, resetPassword } from './first-admin.js';
import { localSettings } from './local.config.js';
import { runningDatabaseUrl } from './running-database-url.js';

const usage = `npm run admin -- create <user>               creates an administrator and prints its password
npm run admin -- reset-password <user>       gives a user a new password, prints it and ends its sessions
npm run admin -- grant <user> <permission>   gives a user a permission, e.g. ADMIN`;

const told = ({ username, password }: NewAccount) =>
  `user ${username}, password ${password} (shown only now)`;

async function run(words: readonly string[]): Promise<string> {
  const [command = '', username, permission] = words;
  const address = () =>
    process.env.DATABASE_URL || runningDatabaseUrl(parseSettings(localSettings, process.env));
  if (command === 'create' && username) return told(await createNamedAdmin(address(), username));
  if (command === 'reset-password' && username) return told(await resetPassword(address(), username));
  if (command === 'grant' && username && permission) {
    await grantPermission(address(), username, permission);
    return `${username} now has ${permission}`;
  }
  throw new Error(`what is to be done?\n${usage}`);
}

try {
  const { positionals } = parseArgs({ allowPositionals: true });
  process.stdout.write(`${await run(positionals)}\n`);
} catch (error) {
  process.stderr.write(`admin: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
