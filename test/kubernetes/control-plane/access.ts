import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Who may ask the API server, and as what, with at most one group each. `hub` and `hub-without-nodes` are the hub's own
 * ways to be permitted.
 */
const groupsOf = {
  admin: ['system:masters'],
  hub: [],
  'hub-without-nodes': [],
  'system:kube-scheduler': [],
  kwok: ['system:masters'],
} as const;
export type ControlPlaneUser = keyof typeof groupsOf;
const users = Object.keys(groupsOf) as ControlPlaneUser[];

/** The tokens of a control plane's users, and kubeconfig files that carry them. */
export interface Access {
  readonly tokenFile: string;
  readonly folder: string;
  tokenOf(user: ControlPlaneUser): string;
}

/** Makes a token for every user and writes them as the API server reads them. */
export async function createAccess(folder: string): Promise<Access> {
  const tokens = new Map(users.map((user) => [user, randomBytes(16).toString('hex')]));
  const tokenOf = (user: ControlPlaneUser) => tokens.get(user) ?? '';
  const tokenFile = join(folder, 'tokens.csv');
  const lines = users.map((user) => [tokenOf(user), user, user, ...groupsOf[user]].join(','));
  await writeFile(tokenFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  return { tokenFile, folder, tokenOf };
}

/** Where a kubeconfig leads: an address, and the file of the certificate that whoever answers there must show. */
export interface KubeconfigTarget {
  readonly name: string;
  readonly url: string;
  readonly certificateFile: string;
}

/** Writes a kubeconfig, which is JSON as YAML allows, and gives its path. */
export async function writeKubeconfig(
  access: Access,
  user: ControlPlaneUser,
  { name, url, certificateFile }: KubeconfigTarget,
): Promise<string> {
  const path = join(access.folder, `kubeconfig-${name}-${user.replace(':', '-')}`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority': certificateFile } }],
    users: [{ name: user, user: { token: access.tokenOf(user) } }],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
