import { HostUnavailableError } from '../model-host.js';
import type { ClusterApi, ClusterCall } from './cluster-api.js';

/** One line of a watch. `object` of an `ERROR` is a status. */
export interface WatchLine {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** How long to wait for a server that says nothing, ms. */
export interface WatchPatience {
  /** Until it accepts the watch, which it does at once: on a dead connection nothing is waited for any longer. */
  readonly openMs: number;
  /** Between two words of the watch. */
  readonly silenceMs: number;
}

/**
 * Opens a watch and gives `opened` once the server accepted it, then its lines until the server ends it.
 * @param patience without a byte for so long the connection counts as lost
 * @throws HostUnavailableError when the connection breaks or falls silent; ClusterRefusal when it is refused
 */
export async function* readWatchLines(
  api: ClusterApi,
  call: ClusterCall,
  signal: AbortSignal,
  { openMs, silenceMs }: WatchPatience,
): AsyncGenerator<WatchLine | 'opened'> {
  const silence = new AbortController();
  const waitFor = (ms: number) => setTimeout(() => silence.abort(new Error(`not a word for ${ms} ms`)), ms);
  let timer = waitFor(openMs);
  try {
    const response = await api.open(call, AbortSignal.any([signal, silence.signal]));
    clearTimeout(timer);
    timer = waitFor(silenceMs);
    yield 'opened';
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      timer.refresh();
      const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchLine;
    }
  } catch (error) {
    if (error instanceof Error && isNamed(error)) throw error;
    api.distrustConnections();
    throw new HostUnavailableError(`the watch of ${call.path} broke off: ${String(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function isNamed(error: Error): boolean {
  return error instanceof HostUnavailableError || error.name === 'ClusterRefusal';
}
