import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, ApiError } from './api-client.js';

/** What is told of the pods that a cluster has. */
export interface PodListener<Pod> {
  /** A pod is there, as new or in a new state. */
  see(pod: Pod): void;
  /** It was deleted, in the state it had last. */
  end(pod: Pod): void;
  /** All uids that there are: after a gap, pods that were seen before and are not among them have ended. */
  present(uids: ReadonlySet<string>): void;
}

interface PodList<Pod> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Pod[];
}

/**
 * Follows every pod of a cluster until the signal aborts, over breaks: what changed meanwhile is told after them.
 * @throws Error when the API server is of another mind, rather than away: what was seen is not all there was
 */
export async function followPods<Pod extends { readonly metadata: { readonly uid: string } }>(
  admin: ApiClient,
  listener: PodListener<Pod>,
  { signal, tryAgainMs }: { readonly signal: AbortSignal; readonly tryAgainMs: number },
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { metadata, items } = await admin.ask<PodList<Pod>>('GET', '/api/v1/pods');
      listener.present(new Set(items.map((pod) => pod.metadata.uid)));
      for (const pod of items) listener.see(pod);
      const path = `/api/v1/pods?watch=true&resourceVersion=${metadata.resourceVersion}`;
      await admin.watch(
        path,
        ({ type, object }) => {
          if (type === 'DELETED') listener.end(object as Pod);
          else if (type === 'ADDED' || type === 'MODIFIED') listener.see(object as Pod);
        },
        signal,
      );
    } catch (error) {
      if (!signal.aborted && !isUnreachable(error)) throw error;
    }
    await sleep(tryAgainMs);
  }
}

/** Is the API server away or just coming up, rather than of another mind? */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof ApiError) return error.code >= 429;
  return error instanceof Error && 'code' in error;
}
