/** A place outside the hub did not give what was asked of it. The message names the setting, never the address. */
export class OutsideError extends Error {
  override readonly name = 'OutsideError';
}

/** What is asked of whom. */
export interface OutsideCall {
  readonly url: string;
  /** The setting the address comes from: what an operator would look at. */
  readonly setting: string;
  /** Posted as JSON; without it the call is a GET. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * The JSON at an address that the operator has set, bounded in size and time. Redirects are not followed.
 * @throws OutsideError in words when there is none
 */
export async function fetchJson(call: OutsideCall): Promise<unknown> {
  const { url, setting, body, timeoutMs, maxBytes } = call;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new OutsideError(`the address in ${setting} answered with HTTP ${response.status}`);
    }
    return JSON.parse(await readBounded(response, setting, maxBytes)) as unknown;
  } catch (error) {
    if (error instanceof OutsideError) throw error;
    throw new OutsideError(`the address in ${setting} ${explain(error, signal, timeoutMs)}`, {
      cause: error,
    });
  }
}

function explain(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `did not answer in full within ${timeoutMs / 1000} s`;
  if (error instanceof SyntaxError) return 'answered with something that is no JSON';
  const { cause, message } = error as Error;
  // The code alone: the message of a cause names the address.
  return `can not be reached: ${(cause as { code?: string } | undefined)?.code ?? message}`;
}

async function readBounded(response: Response, setting: string, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes)
      throw new OutsideError(
        `the address in ${setting} answered with more than ${maxBytes / 1024 / 1024} MiB; nothing of it was taken`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}
