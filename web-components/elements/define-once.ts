/** Registers an element. Where a page loads this module twice, from two hubs say, the first one stays. */
export function defineOnce(tag: string, element: CustomElementConstructor): void {
  if (customElements.get(tag) === undefined) customElements.define(tag, element);
}
