import { readFileSync } from 'node:fs';
import { type ApiClient, createApiClient } from './api-client.js';

/** Asks as a kubeconfig file of a control plane says, and only that. */
export function clientOf(path: string): ApiClient {
  const config = JSON.parse(readFileSync(path, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority': string } }];
    users: [{ user: { token: string } }];
  };
  const { server, 'certificate-authority': certificate } = config.clusters[0].cluster;
  return createApiClient(server, config.users[0].user.token, certificate);
}
