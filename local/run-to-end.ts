import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { sendSignal } from '../hosts/local/proc-files.js';
import { type Launch, startProcess } from './launch.js';

/**
 * Runs a process to its end and gives its last line of output.
 * @throws Error with all its words when it fails; with how it was started when it has none, e.g. ended by the signal.
 */
export async function runToEnd(launch: Launch, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const child = startProcess(launch);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  const end = () => child.pid !== undefined && sendSignal(child.pid, 'SIGKILL');
  signal.addEventListener('abort', end);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0)
      throw new Error(lines.join(' | ') || `${launch.args.join(' ')} ended with exit code ${code}`);
    return lines.at(-1) ?? '';
  } finally {
    signal.removeEventListener('abort', end);
  }
}
