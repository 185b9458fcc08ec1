import { LoginResponse } from '../domain/session/session.wire.js';
import { RequestEvent, WorkRequest } from '../domain/work-request/work-request.wire.js';
import { readEventStream } from './read-event-stream.js';

/** A file for a model. */
export interface Example {
  readonly modelId: string;
  readonly csv: string;
}

const endings: readonly string[] = ['completed', 'failed', 'cancelled'];
/** Hours to milliseconds in `2026-02-03T04:05:06.123456Z`. */
const timeOfDay = [11, 23] as const;
/** An event stream that broke is opened again this often. */
const streamAttempts = 5;

/**
 * Sends the example to a hub as a guest, tells every event and gives the result as CSV: what a script with curl does.
 * @throws Error with the reason when the hub refuses it or the request does not complete.
 */
export async function runExample(
  hubUrl: string,
  example: Example,
  tell: (line: string) => void,
): Promise<string> {
  const login = await ask(`${hubUrl}/api/auth/anonymous-login`, { method: 'POST' });
  const { session, user } = LoginResponse.parse(await login.json());
  const authorization = `Bearer ${session.session_token}`;
  tell(`signed in as ${user.username}`);
  const submitted = await ask(`${hubUrl}/api/work-requests?model_id=${encodeURIComponent(example.modelId)}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'text/csv' },
    body: example.csv,
  });
  const { id, progress } = WorkRequest.parse(await submitted.json());
  tell(`submitted ${progress.rows} rows to ${example.modelId} as work request ${id}`);
  const requestUrl = `${hubUrl}/api/work-requests/${id}`;
  await followEvents(requestUrl, authorization, tell);
  const ended = WorkRequest.parse(await (await ask(requestUrl, { headers: { authorization } })).json());
  if (ended.request_status !== 'COMPLETED') {
    throw new Error(
      `work request ${id} is ${ended.request_status}: ${ended.request_status_reason ?? 'no reason given'}`,
    );
  }
  return (await ask(`${requestUrl}?format=csv`, { headers: { authorization } })).text();
}

/** Tells the request's events from the first to the last. */
async function followEvents(
  requestUrl: string,
  authorization: string,
  tell: (line: string) => void,
): Promise<void> {
  let lastId = '0';
  for (let attempt = 0; attempt < streamAttempts; attempt += 1) {
    const headers = { authorization, accept: 'text/event-stream', 'last-event-id': lastId };
    const { body } = await ask(`${requestUrl}/events`, { headers });
    if (body === null) throw new Error(`${requestUrl}/events answered without a body`);
    for await (const message of readEventStream(body.pipeThrough(new TextDecoderStream()))) {
      if (message.event === 'snapshot') continue;
      lastId = message.id;
      tell(toLine(RequestEvent.parse(JSON.parse(message.data))));
      if (endings.includes(message.event)) return;
    }
  }
  throw new Error(`the event stream of ${requestUrl} ended ${streamAttempts} times before the request did`);
}

function toLine({ event_no, type, at, details }: RequestEvent): string {
  const facts = Object.entries(details).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${at.slice(...timeOfDay)}  ${event_no}. ${[type, ...facts].join(' ')}`;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.ok) return response;
  throw new Error(`${init.method ?? 'GET'} ${url} answered ${response.status}: ${await response.text()}`);
}
