import type { IncomingMessage } from 'node:http';
import { request as sendRequest } from 'node:http';
import {
  type HostUsage,
  type HostWatch,
  type FollowOptions,
  type HostEvent,
  HostUnavailableError,
  InstanceRefusedError,
  type LogOptions,
  type ModelHost,
  type ObservedInstance,
  type WatchedInstanceEvent,
} from '../model-host.js';
import { BAD_CALL_STATUS, REFUSED_STATUS } from './local-host.wire.js';
import { LocalHostWatch } from './watch-local-host.js';

const CALL_TIMEOUT_MS = 10_000;

/** A client of the local host process that serves on `socketPath`. Several clients may share one host. */
export function createLocalModelHost({ socketPath }: { readonly socketPath: string }): ModelHost {
  const watches = new Set<HostWatch>();
  const keep = (watch: HostWatch) => {
    watches.add(watch);
    return watch;
  };
  const call = <Answer>(method: string, path: string, body?: unknown) =>
    callLocalHost<Answer>({ socketPath, method, path, body });
  return {
    kind: 'local',
    createInstance: (spec) => call<ObservedInstance>('POST', '/instances', spec),
    watch: (listener) => keep(new LocalHostWatch<HostEvent>({ socketPath, path: '/watch', listener })),
    watchEvents: (listener) =>
      keep(new LocalHostWatch<WatchedInstanceEvent>({ socketPath, path: '/watch-events', listener })),
    deleteInstance: (instanceId, uid) =>
      call('DELETE', `${instancePath(instanceId)}?uid=${encodeURIComponent(uid)}`),
    readLogs: async (instanceId, options = {}) => {
      const path = `${instancePath(instanceId)}/logs?${toQuery(options)}`;
      return (await call<{ text: string | null }>('GET', path)).text;
    },
    followLogs: (instanceId, signal, options = {}) => {
      const path = `${instancePath(instanceId)}/logs/follow?${toQuery(options)}`;
      return followLocalLogs({ socketPath, method: 'GET', path, signal });
    },
    listEvents: (instanceId) => call<WatchedInstanceEvent[]>('GET', `${instancePath(instanceId)}/events`),
    readUsage: () => call<HostUsage>('GET', '/usage'),
    largestNodeMemoryBytes: () => call<number>('GET', '/largest-node-memory'),
    close: async () => {
      for (const watch of watches) watch.close();
    },
  };
}

const instancePath = (instanceId: string) => `/instances/${encodeURIComponent(instanceId)}`;

function toQuery(options: LogOptions | FollowOptions): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
}

interface HostCall {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

async function callLocalHost<Answer>(call: Omit<HostCall, 'signal'>): Promise<Answer> {
  const response = await open({ ...call, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  const text = await readAll(response, call);
  if (response.statusCode === 200) return JSON.parse(text) as Answer;
  const { message } = JSON.parse(text) as { message: string };
  if (response.statusCode === REFUSED_STATUS) throw new InstanceRefusedError(message);
  if (response.statusCode === BAD_CALL_STATUS)
    throw new Error(`the local host did not take the call: ${message}`);
  throw new HostUnavailableError(`the local host failed at ${call.method} ${call.path}: ${message}`);
}

/** Sends a call; the answer's head is in when this settles. Every failure to get there is worth another try. */
function open(call: HostCall): Promise<IncomingMessage> {
  const { socketPath, method, path, signal } = call;
  return new Promise((resolve, reject) => {
    const request = sendRequest({ socketPath, method, path, agent: false, signal });
    request.on('response', resolve);
    request.on('error', (error) => reject(unreachable(call, error)));
    request.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  });
}

async function readAll(response: IncomingMessage, call: Omit<HostCall, 'signal'>): Promise<string> {
  try {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    return text;
  } catch (error) {
    throw unreachable(call, error);
  }
}

async function* followLocalLogs(call: HostCall): AsyncGenerator<string> {
  let rest = '';
  try {
    const response = await open(call);
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + (chunk as string)).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        const line = JSON.parse(text) as string | null;
        if (line === null) return;
        yield line;
      }
    }
  } catch (error) {
    if (call.signal.aborted) return;
    throw error instanceof HostUnavailableError ? error : unreachable(call, error);
  }
  throw unreachable(call, new Error('the stream broke off before the instance ended'));
}

function unreachable(call: Omit<HostCall, 'signal'>, cause: unknown): HostUnavailableError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HostUnavailableError(
    `the local host on ${call.socketPath} could not take ${call.method} ${call.path} (${why}): it may be restarting, try again`,
    { cause },
  );
}
