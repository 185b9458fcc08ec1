import { ApiError, toApiError } from './api-error.js';
import type { HubConnection } from './connection.js';

export interface HubRequest {
  /** What is tried, as the end of "Could not …". */
  readonly attempted: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Kept as it is and sent again after a renewal, so never a stream. */
  readonly body?: string | Blob;
  readonly signal?: AbortSignal;
}

/**
 * One call to the hub with the token as a bearer, never with cookies. A refused token is renewed once and the call
 * repeated.
 *
 * @throws {ApiError} when the answer is not 2xx or the hub was not reached; a `DOMException` named AbortError when the
 *   caller gave up.
 */
export async function callHub(
  connection: HubConnection,
  path: string,
  request: HubRequest,
): Promise<Response> {
  const { token, renew } = connection;
  const response = await send(connection.baseUrl + path, token, request);
  if (response.ok) return response;
  if (response.status === 401 && token !== null && renew) {
    const renewed = await renew(token);
    if (renewed !== null && renewed !== token) {
      const second = await send(connection.baseUrl + path, renewed, request);
      if (second.ok) return second;
      throw await toApiError(request.attempted, second);
    }
  }
  throw await toApiError(request.attempted, response);
}

/** The same, with the answer read as JSON. */
export async function callHubForJson<Answer>(
  connection: HubConnection,
  path: string,
  request: HubRequest,
): Promise<Answer> {
  const response = await callHub(connection, path, {
    ...request,
    headers: { accept: 'application/json', ...request.headers },
  });
  return readAnswer(request, async () => (await response.json()) as Answer);
}

/**
 * Reads the body of an answer.
 *
 * @throws {ApiError} when it breaks off, or is not what a hub sends; a `DOMException` when the caller gave up.
 */
export async function readAnswer<Content>(
  { attempted, signal }: HubRequest,
  read: () => Promise<Content>,
): Promise<Content> {
  try {
    return await read();
  } catch (error) {
    if (signal?.aborted) throw error;
    // A proxy or a sign-in page of the network answers in place of the hub.
    if (error instanceof SyntaxError)
      throw new ApiError(attempted, 'Something else than the hub answered.', 0);
    throw new ApiError(attempted, 'The answer broke off.', 0);
  }
}

async function send(url: string, token: string | null, request: HubRequest): Promise<Response> {
  const headers = new Headers(request.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  try {
    return await fetch(url, {
      method: request.method ?? 'GET',
      headers,
      body: request.body ?? null,
      signal: request.signal ?? null,
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw (
      (await whyUnreadable(request)) ?? new ApiError(request.attempted, 'The hub could not be reached.', 0)
    );
  }
}

/** A file that was saved or moved after it was chosen can not be sent, and looks like a hub that is away. */
async function whyUnreadable({ attempted, body }: HubRequest): Promise<ApiError | null> {
  if (!(body instanceof Blob)) return null;
  try {
    await body.slice(0, 1).arrayBuffer();
    return null;
  } catch {
    const reason = 'The file was changed or moved after it was chosen.';
    return new ApiError(attempted, reason, 0, null, 'Choose the file again.');
  }
}
