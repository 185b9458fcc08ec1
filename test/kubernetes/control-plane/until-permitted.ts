import { waitUntil } from '../../support/wait-until.js';
import type { ControlPlaneUser } from './access.js';
import type { ApiClient } from './api-client.js';

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const pace = { withinMs: 20_000, everyMs: 25 };

/** Waits until a user may create pods: the API server goes by a role and its binding a moment after they were made. */
export async function untilPermitted(
  admin: ApiClient,
  user: ControlPlaneUser,
  namespace: string,
): Promise<void> {
  const spec = { user, resourceAttributes: { namespace, verb: 'create', resource: 'pods' } };
  const look = async () => {
    const { status } = await admin.ask<{ status: { allowed: boolean } }>('POST', path, { spec });
    return status.allowed || undefined;
  };
  await waitUntil(`${user} to be let into ${namespace}`, look, pace);
}
