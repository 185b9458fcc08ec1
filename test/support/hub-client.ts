import type { LoginResponse } from '../../domain/session/session.wire.js';
import type { WorkflowProgress, WorkRequest } from '../../domain/work-request/work-request.wire.js';

/** An answer that is no success. */
export class HubAnswerError extends Error {
  override readonly name = 'HubAnswerError';
  constructor(
    readonly status: number,
    readonly detail: unknown,
  ) {
    super(`HTTP ${status}: ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`);
  }
}

/** A guest (or whoever a token belongs to) at a hub: what a script with curl would do. */
export class HubClient {
  private constructor(
    readonly baseUrl: string,
    readonly token: string,
    readonly userId: string,
  ) {}

  static async asGuest(baseUrl: string): Promise<HubClient> {
    const { session } = (await answerOf(
      await fetch(`${baseUrl}/api/auth/anonymous-login`, { method: 'POST' }),
    )) as LoginResponse;
    return new HubClient(baseUrl, session.session_token, session.userid);
  }

  static async asUser(baseUrl: string, username: string, password: string): Promise<HubClient> {
    const encoding = Buffer.from(`${username}:${password}`).toString('base64');
    const response = await fetch(`${baseUrl}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ encoding, auth_type: 'ErsiliaUser' }),
    });
    const { session } = (await answerOf(response)) as LoginResponse;
    return new HubClient(baseUrl, session.session_token, session.userid);
  }

  /** The same session at another api process of the hub. */
  at(baseUrl: string): HubClient {
    return new HubClient(baseUrl, this.token, this.userId);
  }

  /** Submits rows as the JSON list. */
  async submitEntries(
    modelId: string,
    entries: readonly string[],
    hasHeader?: boolean,
  ): Promise<WorkRequest> {
    const request_payload = { entries, ...(hasHeader !== undefined && { has_header: hasHeader }) };
    return this.#json(
      'POST',
      '/api/work-requests',
      JSON.stringify({ model_id: modelId, request_payload }),
      'application/json',
    );
  }

  /** Submits a file as it is. */
  async submitBody(
    modelId: string,
    body: string | Uint8Array<ArrayBuffer>,
    contentType = 'text/csv',
    query = '',
  ): Promise<WorkRequest> {
    return this.#json(
      'POST',
      `/api/work-requests?model_id=${encodeURIComponent(modelId)}${query}`,
      body,
      contentType,
    );
  }

  get(id: number, query = ''): Promise<WorkRequest> {
    return this.#json('GET', `/api/work-requests/${id}${query}`);
  }

  cancel(id: number): Promise<WorkRequest> {
    return this.#json('POST', `/api/work-requests/${id}/cancel`);
  }

  workflow(id: number): Promise<WorkflowProgress> {
    return this.#json('GET', `/api/work-requests/${id}/workflow`);
  }

  /** The result as a table, as it is streamed. */
  async download(id: number, format = 'csv'): Promise<Response> {
    const response = await this.fetch(`/api/work-requests/${id}?format=${format}`);
    if (!response.ok) await answerOf(response);
    return response;
  }

  /** The result's CSV, line by line, without the header. */
  async csvRows(id: number): Promise<string[]> {
    return (await (await this.download(id)).text()).trimEnd().split('\r\n').slice(1);
  }

  /** Reads the request until it is finished. @throws Error when it is not within `timeoutMs` */
  async untilFinished(id: number, timeoutMs: number, pollMs = 200): Promise<WorkRequest> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const request = await this.get(id).catch((error: unknown) => {
        if (error instanceof HubAnswerError && error.status < 500) throw error;
        return null;
      });
      if (request && ['COMPLETED', 'FAILED', 'CANCELLED'].includes(request.request_status)) return request;
      if (Date.now() > deadline) {
        throw new Error(
          `request ${id} is ${request?.request_status ?? 'unreadable'} after ${timeoutMs / 1000} s`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${this.token}` };
    return fetch(`${this.baseUrl}${path}`, { ...init, headers });
  }

  async #json<Answer>(
    method: string,
    path: string,
    body?: RequestInit['body'],
    contentType?: string,
  ): Promise<Answer> {
    const headers: Record<string, string> = contentType ? { 'content-type': contentType } : {};
    return (await answerOf(
      await this.fetch(path, { method, headers, ...(body !== undefined && { body }) }),
    )) as Answer;
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let detail: unknown = text;
  try {
    detail = (JSON.parse(text) as { detail?: unknown }).detail ?? text;
  } catch {
    // Not every refusal is JSON (a proxy's, for one): then its text is the detail.
  }
  throw new HubAnswerError(response.status, detail);
}
