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
  return (await response.json()) as Answer;
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
    throw new ApiError(request.attempted, 'The hub could not be reached.', 0);
  }
}
