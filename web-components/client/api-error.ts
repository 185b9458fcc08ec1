const remedies: Readonly<Record<number, string>> = {
  0: 'Check the network connection, then try again.',
  401: 'Sign in again; what you entered is kept.',
  403: 'Sign in with an account that may see this.',
  404: 'Check the address, or look in the list of requests.',
  409: 'Reload the page to see how it stands now.',
  413: 'Split the input into smaller files.',
};

/** An answer that is not 2xx, or no answer at all, in words for the person in front of the page. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** What was tried, as the end of "Could not …". */
    readonly attempted: string,
    /** Why, as the hub said it. */
    readonly reason: string,
    /** HTTP status; 0 when the hub was not reached. */
    readonly status: number,
    /** Seconds after which the hub asks to be tried again. */
    readonly retryAfterSeconds: number | null = null,
    /** What helps, one sentence, where the status does not tell it. */
    private readonly ownRemedy: string | null = null,
  ) {
    super(`Could not ${attempted}. ${reason}`);
  }

  /** What the person can do next, one sentence. */
  get remedy(): string {
    if (this.ownRemedy !== null) return this.ownRemedy;
    if (this.status === 429) return `Wait ${this.retryAfterSeconds ?? 60} seconds, then try again.`;
    if (this.status >= 500) return 'Try again in a moment; nothing that was accepted is lost.';
    return remedies[this.status] ?? 'Correct the input, then try again.';
  }

  /** May it be gone at the next try: no network, too many calls, a hub that restarts? */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A failed answer as an `ApiError`; the hub says why in `detail`, as a text or as a list of field errors. */
export async function toApiError(attempted: string, response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  // An answer that breaks off says less of its reason; its status is here already.
  const text = await response.text().catch(() => '');
  return new ApiError(
    attempted,
    readDetail(text) ?? `The hub answered ${response.status} ${response.statusText}`.trim() + '.',
    response.status,
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

function readDetail(text: string): string | null {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === 'string') return detail.endsWith('.') ? detail : `${detail}.`;
    if (Array.isArray(detail)) return `${detail.map(fieldError).join('; ')}.`;
    return null;
  } catch {
    // A proxy in front of the hub answers HTML; the status line says more than its markup.
    return null;
  }
}

/** One entry of a 422 answer: `{loc: ['body', 'model_id'], msg: 'Required'}` reads "model_id: Required". */
function fieldError(entry: unknown): string {
  const { loc, msg } = (entry ?? {}) as { loc?: unknown[]; msg?: unknown };
  const field = (loc ?? []).filter((part) => part !== 'body' && part !== 'query').join('.');
  return field === '' ? String(msg) : `${field}: ${String(msg)}`;
}
