/**
 * A store of the browser, or null where this page may keep nothing: in a frame of another site, or with storage
 * switched off, the mere look at it throws.
 */
export function openStore(name: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[name];
  } catch (error) {
    console.warn(`The browser gives this page no ${name}: what it holds lasts until it is left.`, error);
    return null;
  }
}

/** Keeps a text; in a store that is full nothing stays under the key, as what was there before is no longer true. */
export function keepText(store: Storage | null, key: string, text: string): void {
  try {
    store?.setItem(key, text);
  } catch (error) {
    console.warn(`The browser has no room for “${key}”: it lasts until the page is left.`, error);
    store?.removeItem(key);
  }
}
