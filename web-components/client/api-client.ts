import { ApiError } from './api-error.js';
import type {
  InputVerdict,
  LoginResponse,
  Model,
  ModelList,
  Session,
  WorkflowProgress,
  WorkRequest,
  WorkRequestList,
} from './api-schemas.js';
import type { HubConnection } from './connection.js';
import { callHub, callHubForJson } from './request.js';

/** A new guest with an identity of its own. */
export function signInAsGuest(connection: HubConnection): Promise<LoginResponse> {
  return callHubForJson(connection, '/api/auth/anonymous-login', {
    attempted: 'start a guest session',
    method: 'POST',
  });
}

/** Signs in with user name and password. The wire wants base64 of `username:password` in UTF-8. */
export function signIn(
  connection: HubConnection,
  userName: string,
  password: string,
): Promise<LoginResponse> {
  const bytes = new TextEncoder().encode(`${userName}:${password}`);
  const encoding = btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(''));
  return callHubForJson(connection, '/api/auth/login', {
    attempted: 'sign in',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ encoding, auth_type: 'ErsiliaUser' }),
  });
}

/** Gives the session a new token and a new start. */
export function refreshSession(connection: HubConnection): Promise<Session> {
  return callHubForJson(connection, '/api/auth/session/refresh', {
    attempted: 'renew the session',
    method: 'POST',
  });
}

export function signOut(connection: HubConnection): Promise<Response> {
  return callHub(connection, '/api/auth/logout', { attempted: 'sign out', method: 'POST' });
}

export function listModels(connection: HubConnection, signal?: AbortSignal): Promise<ModelList> {
  return callHubForJson(connection, '/api/models', { attempted: 'load the models', signal });
}

export function getModel(connection: HubConnection, id: string, signal?: AbortSignal): Promise<Model> {
  return callHubForJson(connection, `/api/models/${encodeURIComponent(id)}`, {
    attempted: `load the model ${id}`,
    signal,
  });
}

/** How an input is to be read; what is absent or `auto` the hub judges itself. */
export interface InputReading {
  readonly header: 'auto' | 'yes' | 'no';
  /** Name or 1-based number of the SMILES column. */
  readonly column: string | null;
}

/** Text as pasted, or a file as picked; a file is sent from disk and never read into the page. */
export interface ModelInput extends InputReading {
  readonly content: string | File;
}

/** What the hub makes of an input, without submitting it. */
export function checkInput(
  connection: HubConnection,
  modelId: string | null,
  input: ModelInput,
  signal?: AbortSignal,
): Promise<InputVerdict> {
  return callHubForJson(connection, `/api/work-requests/check?${readingQuery(modelId, input)}`, {
    attempted: 'check the input',
    ...rawBody(input.content),
    signal,
  });
}

export function submitInput(
  connection: HubConnection,
  modelId: string,
  input: ModelInput,
): Promise<WorkRequest> {
  return callHubForJson(connection, `/api/work-requests?${readingQuery(modelId, input)}`, {
    attempted: 'submit the request',
    ...rawBody(input.content),
  });
}

/** The caller's requests, newest first. */
export function listWorkRequests(
  connection: HubConnection,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<WorkRequestList> {
  const query = new URLSearchParams({ limit: '20' });
  if (cursor !== null) query.set('cursor', cursor);
  return callHubForJson(connection, `/api/work-requests?${query}`, {
    attempted: 'load the requests',
    signal,
  });
}

export function getWorkRequest(
  connection: HubConnection,
  id: number,
  signal?: AbortSignal,
): Promise<WorkRequest> {
  return callHubForJson(connection, `/api/work-requests/${id}`, {
    attempted: `load request ${id}`,
    signal,
  });
}

export function cancelWorkRequest(connection: HubConnection, id: number): Promise<WorkRequest> {
  return callHubForJson(connection, `/api/work-requests/${id}/cancel`, {
    attempted: `cancel request ${id}`,
    method: 'POST',
  });
}

/** What the running workflow says of itself: phase, why it waits, how many are served first. */
export function getWorkflow(
  connection: HubConnection,
  id: number,
  signal?: AbortSignal,
): Promise<WorkflowProgress> {
  return callHubForJson(connection, `/api/work-requests/${id}/workflow`, {
    attempted: `ask what request ${id} waits for`,
    signal,
  });
}

/**
 * Opens a request's event stream: a snapshot, then the events after one (0: all of them), then what happens.
 *
 * @throws {ApiError} also when the answer has no body to read.
 */
export async function openWorkRequestEvents(
  connection: HubConnection,
  id: number,
  lastEventNo: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const attempted = `follow request ${id}`;
  const { body, status } = await callHub(connection, `/api/work-requests/${id}/events`, {
    attempted,
    headers: { accept: 'text/event-stream', 'last-event-id': String(lastEventNo) },
    signal,
  });
  if (body === null) throw new ApiError(attempted, 'The hub answered without events.', status);
  return body;
}

function readingQuery(modelId: string | null, reading: InputReading): URLSearchParams {
  const query = new URLSearchParams({ header: reading.header });
  if (modelId !== null) query.set('model_id', modelId);
  if (reading.column !== null) query.set('column', reading.column);
  return query;
}

const mediaTypes: Readonly<Record<string, string>> = {
  tsv: 'text/tab-separated-values',
  tab: 'text/tab-separated-values',
  smi: 'chemical/x-daylight-smiles',
  smiles: 'chemical/x-daylight-smiles',
};

/** The body as it is, with the type its file name tells; pasted text goes as CSV, which the hub reads by its content. */
function rawBody(content: string | File) {
  const ending = content instanceof File ? (content.name.split('.').at(-1)?.toLowerCase() ?? '') : '';
  return {
    method: 'POST' as const,
    headers: { 'content-type': mediaTypes[ending] ?? 'text/csv' },
    body: content,
  };
}
