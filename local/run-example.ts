import { setTimeout as sleep } from 'node:timers/promises';
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
/** A hub that can't be read is asked again this often, over 20 s: whatever of it died is back long before. */
const readAttempts = 40;
const readPauseMs = 500;

/** The hub is not there at the moment, or the stream broke; asked again it may well answer. */
class HubAwayError extends Error {}

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
  await untilRead(followEvents(requestUrl, authorization, tell));
  const read = (url: string) =>
    untilRead(async () => (await ask(url, { headers: { authorization } })).text().catch(failAsAway));
  const ended = WorkRequest.parse(JSON.parse(await read(requestUrl)));
  if (ended.request_status !== 'COMPLETED') {
    throw new Error(
      `work request ${id} is ${ended.request_status}: ${ended.request_status_reason ?? 'no reason given'}`,
    );
  }
  return read(`${requestUrl}?format=csv`);
}

/** Tells the request's events until its last; asked again it goes on behind the one that was told last. */
function followEvents(requestUrl: string, authorization: string, tell: (line: string) => void) {
  let lastId = '0';
  return async () => {
    const headers = { authorization, accept: 'text/event-stream', 'last-event-id': lastId };
    const { body } = await ask(`${requestUrl}/events`, { headers });
    if (body === null) throw new Error(`${requestUrl}/events answered without a body`);
    for await (const message of readEventStream(piecesOf(body))) {
      if (message.event === 'snapshot') continue;
      lastId = message.id;
      tell(toLine(RequestEvent.parse(JSON.parse(message.data))));
      if (endings.includes(message.event)) return;
    }
    throw new HubAwayError(`the event stream of ${requestUrl} ended before the request did`);
  };
}

/**
 * Reads until the hub can be read; reading twice does no harm.
 * @throws Error the last time's, or at once what another try would not mend
 */
async function untilRead<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof HubAwayError) || attempt === readAttempts) throw error;
    }
    await sleep(readPauseMs);
  }
}

async function* piecesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  try {
    yield* body.pipeThrough(new TextDecoderStream());
  } catch (error) {
    failAsAway(error);
  }
}

/** What a connection that was refused or cut means. */
function failAsAway(cause: unknown): never {
  const error = cause as { readonly message: string; readonly cause?: { readonly message?: string } };
  throw new HubAwayError(`the hub could not be reached (${error.cause?.message ?? error.message})`, {
    cause,
  });
}

function toLine({ event_no, type, at, details }: RequestEvent): string {
  const facts = Object.entries(details).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${at.slice(...timeOfDay)}  ${event_no}. ${[type, ...facts].join(' ')}`;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch(failAsAway);
  if (response.ok) return response;
  const told = `${init.method ?? 'GET'} ${url} answered ${response.status}: ${await response.text()}`;
  throw response.status >= 500 ? new HubAwayError(told) : new Error(told);
}
