import type { Dispatcher } from 'undici';

/** The server answered, but not as the protocol says: final, and the reason is for the request's user. */
export class ModelAnswerError extends Error {
  override readonly name = 'ModelAnswerError';

  /** @param serverBusy true when the server may still be at work on the call */
  constructor(
    message: string,
    readonly serverBusy = false,
  ) {
    super(message);
  }
}

/** What a model server sent, read to its end. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Reads a body up to a size. @throws ModelAnswerError when it is larger */
export async function readBounded(
  what: string,
  body: Dispatcher.ResponseData['body'],
  maxBytes: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new ModelAnswerError(
        `The model's answer to ${what} is larger than ${maxBytes / 1024 / 1024} MiB.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** The JSON of a successful reply. @throws ModelAnswerError with what came instead */
export function parseReply(what: string, { status, contentType, text }: Reply): unknown {
  if (status < 200 || status > 299) {
    throw new ModelAnswerError(`The model answered ${what} with HTTP ${status}: ${excerpt(text)}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    const kind = contentType || 'no content type';
    throw new ModelAnswerError(`The model's answer to ${what} is no JSON (${kind}): ${excerpt(text)}`);
  }
}

const EXCERPT_LENGTH = 120;

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'nothing.';
  return `"${line.length > EXCERPT_LENGTH ? `${line.slice(0, EXCERPT_LENGTH)}…` : line}".`;
}

/** The version that a `/models/status` answer states for a model, or null. */
export function versionIn(text: string, modelId: string): string | null {
  try {
    const models: unknown = JSON.parse(text);
    if (!Array.isArray(models)) return null;
    const own = models.find((model) => model?.modelName === modelId);
    return typeof own?.modelVersion === 'string' ? own.modelVersion.slice(0, 200) : null;
  } catch {
    // The version is a nicety: a server that states it badly states none.
    return null;
  }
}
