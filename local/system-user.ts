import { spawnSync } from 'node:child_process';

/** A user of this machine, as processes are started under it. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** A Linux capability the process keeps so that it can pass folders closed to this user, e.g. root's home. */
  readonly capability?: string;
}

/** Narrowest first: nothing, passing closed folders, ignoring file permissions (all that a container may have left). */
const capabilities = [undefined, 'dac_read_search', 'dac_override'] as const;

/**
 * Who runs Postgres, which refuses to run as root: undefined when we are not root, else the first user that exists and
 * can reach both the program and the folder.
 * @throws Error with what to do when there is no such user.
 */
export function unprivilegedUser(
  names: readonly string[],
  program: string,
  folder: string,
): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = names.map(findUser).filter((user) => user !== undefined);
  for (const capability of capabilities) {
    const able = users.find((user) => canReach({ ...user, capability }, program, folder));
    if (able) return { ...able, capability };
  }
  throw new Error(
    `Postgres does not run as root, and no user of this machine (looked for: ${names.join(', ')}) can reach ` +
      `${program} and ${folder}: start the hub as an ordinary user, or name one in HUB_POSTGRES_USER`,
  );
}

/**
 * The words with which `setpriv` becomes another user that keeps one capability. Without `no_setuid_fixup` the kernel
 * leaves it out of account when a program asks by access(2), as `initdb` does of itself.
 */
export function userSwitch(user: SystemUser, capability: string): string[] {
  return [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    `--inh-caps=+${capability}`,
    `--ambient-caps=+${capability}`,
  ];
}

function findUser(name: string): SystemUser | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

function canReach(user: SystemUser, program: string, folder: string): boolean {
  const check = ['sh', '-c', 'test -x "$1" && cd "$2"', 'sh', program, folder] as const;
  const [command, ...args] =
    user.capability === undefined ? check : ['setpriv', ...userSwitch(user, user.capability), ...check];
  const asUser = user.capability === undefined ? { uid: user.uid, gid: user.gid } : {};
  return spawnSync(command, args, { cwd: '/', stdio: 'ignore', ...asUser }).status === 0;
}
