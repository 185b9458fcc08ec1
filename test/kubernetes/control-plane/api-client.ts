import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';

/** What a spec or the harness itself asks of the API server, without any client library between. */
export interface ApiClient {
  /**
   * @param body an object, or YAML as text
   * @throws ApiError unless it answers 2xx
   */
  ask<Answer = unknown>(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** Follows a watch until it ends or the signal aborts. */
  watch(path: string, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** The API server refused: its code, and its words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    message: string,
    readonly code: number,
    readonly reason: string,
  ) {
    super(message);
  }
}

export const mergePatch = 'application/merge-patch+json';
export const strategicMergePatch = 'application/strategic-merge-patch+json';

/** Asks as the bearer of the token; whoever answers must show the certificate. */
export function createApiClient(url: string, token: string, certificateFile: string): ApiClient {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(certificateFile) });
  const send = async (
    method: string,
    path: string,
    body?: string,
    contentType = 'application/json',
    signal?: AbortSignal,
  ): Promise<IncomingMessage> => {
    // Node frames the body of a DELETE only when told how long it is.
    const framing = body && { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    const headers = { authorization: `Bearer ${token}`, ...framing };
    const outgoing = request(new URL(path, url), { method, headers, agent, ...(signal && { signal }) });
    // Of a connection that breaks later, whoever reads the answer is told.
    outgoing.on('error', () => undefined);
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return answer;
  };
  return {
    async ask<Answer>(method: string, path: string, body?: unknown, contentType?: string) {
      const isText = typeof body === 'string';
      const sent = isText || body === undefined ? body : JSON.stringify(body);
      const answer = await send(method, path, sent, isText ? 'application/yaml' : contentType);
      const text = await textOf(answer);
      checkAnswer(answer, text, `${method} ${path}`);
      const isJson = answer.headers['content-type']?.startsWith('application/json');
      return (isJson ? JSON.parse(text) : text) as Answer;
    },
    async watch(path, onEvent, signal) {
      const answer = await send('GET', path, undefined, undefined, signal);
      if (answer.statusCode !== 200) checkAnswer(answer, await textOf(answer), `GET ${path}`);
      let rest = '';
      for await (const chunk of answer.setEncoding('utf8')) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEvent(JSON.parse(line) as WatchEvent);
      }
    },
    close: () => agent.destroy(),
  };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function checkAnswer({ statusCode = 0 }: IncomingMessage, text: string, what: string): void {
  if (statusCode >= 200 && statusCode < 300) return;
  let status: { message?: string; reason?: string } = {};
  if (text.startsWith('{')) status = JSON.parse(text) as typeof status;
  throw new ApiError(
    `${what} answered ${statusCode}: ${status.message ?? text}`,
    statusCode,
    status.reason ?? '',
  );
}
