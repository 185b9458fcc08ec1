import type { ServerResponse } from 'node:http';

const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
const reasons: Readonly<Record<number, string>> = { 429: 'TooManyRequests', 500: 'InternalError' };

/** Ends a watch as the API server does when it does not remember so far back: 200, and an error as its only event. */
export function sayTooOld(response: ServerResponse): void {
  const message = 'too old resource version: 1 (2164)';
  const event = { type: 'ERROR', object: { ...failure, message, reason: 'Expired', code: 410 } };
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(event)}\n`);
}

/** Refuses a request in the API server's words; 429 with the second to wait that the API server asks for. */
export function refuse(response: ServerResponse, status: number): void {
  const message = `made to answer ${status}`;
  const body = { ...failure, message, reason: reasons[status] ?? 'Unknown', code: status };
  const wait = status === 429 ? { 'retry-after': '1' } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...wait }).end(JSON.stringify(body));
}
