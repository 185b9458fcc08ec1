import { z } from 'zod';

const answerMs = 2000;
const readiness = z.object({ hub: z.literal(true) });

/** The address of the hub that serves on this port of this machine; undefined when none does, or something else. */
export async function findRunningHub(port: number): Promise<string | undefined> {
  const url = `http://127.0.0.1:${port}`;
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(answerMs) });
    return readiness.safeParse(await response.json()).success ? url : undefined;
  } catch {
    // Nobody listens, or whoever does speaks no JSON: no hub either way.
    return undefined;
  }
}
