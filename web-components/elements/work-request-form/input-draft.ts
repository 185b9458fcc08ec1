import { keepText } from '../browser-store.js';

/** What a person typed and chose, so that a reload or a new sign-in loses nothing. */
export interface InputDraft {
  readonly text: string;
  readonly modelId: string | null;
}

/** Longer texts are not kept, in characters: the browser's store is small, and such texts come from files anyway. */
const longestKept = 500_000;

const storeKey = (key: string) => `hub-draft ${key}`;

/** The draft kept under a key, or null. */
export function readDraft(storage: Storage | null, key: string): InputDraft | null {
  const text = storage?.getItem(storeKey(key)) ?? null;
  if (text === null) return null;
  const draft = JSON.parse(text) as Partial<InputDraft>;
  return { text: draft.text ?? '', modelId: draft.modelId ?? null };
}

/** Keeps a draft, or forgets it when there is nothing to keep. */
export function writeDraft(storage: Storage | null, key: string, draft: InputDraft | null): void {
  const isWorthKeeping = draft !== null && draft.text.length <= longestKept && (draft.text || draft.modelId);
  if (isWorthKeeping) keepText(storage, storeKey(key), JSON.stringify(draft));
  else storage?.removeItem(storeKey(key));
}
