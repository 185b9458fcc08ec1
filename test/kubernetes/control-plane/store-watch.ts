/** A change of an object as the store wrote it. */
export interface StoreChange {
  readonly type: 'put' | 'delete';
  /** The object's `resourceVersion` from this change on. */
  readonly version: number;
  /** Of a deletion the object as it was before. */
  readonly object: unknown;
}

interface StoreEvent {
  readonly type?: 'DELETE';
  readonly kv: { readonly value?: string; readonly mod_revision: string };
  readonly prev_kv?: { readonly value: string };
}

/**
 * Follows all objects below a prefix in etcd itself, past the API server: what happens while that is killed or its
 * watches are broken is seen here all the same.
 * @returns when the watch has begun; it ends with the signal
 */
export async function watchStore(
  url: string,
  prefix: string,
  onChange: (change: StoreChange) => void,
  signal: AbortSignal,
): Promise<void> {
  const range = { key: encode(prefix), range_end: encode(endOf(prefix)), prev_kv: true };
  const body = JSON.stringify({ create_request: range });
  const response = await fetch(`${url}/v3/watch`, { method: 'POST', body, signal });
  const lines = readLines(response);
  const first = JSON.parse((await lines.next()).value ?? '{}') as { result?: { created?: boolean } };
  if (first.result?.created !== true) throw new Error(`etcd did not begin to watch ${prefix}`);
  const follow = async () => {
    for await (const line of lines) {
      const { result } = JSON.parse(line) as { result: { events?: readonly StoreEvent[] } };
      for (const event of result.events ?? []) onChange(readChange(event));
    }
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

async function* readLines(response: Response): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter(Boolean);
  }
}

function readChange({ type, kv, prev_kv: before }: StoreEvent): StoreChange {
  const text = (type === 'DELETE' ? before?.value : kv.value) ?? '';
  const object: unknown = JSON.parse(Buffer.from(text, 'base64').toString());
  return { type: type === 'DELETE' ? 'delete' : 'put', version: Number(kv.mod_revision), object };
}

const encode = (text: string) => Buffer.from(text).toString('base64');
/** The first key behind all that begin with the prefix. */
const endOf = (prefix: string) =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
