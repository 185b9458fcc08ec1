/** The conditions of a statement that is put together from what was asked for, with the values of its places. */
export class Conditions {
  readonly params: unknown[] = [];
  readonly #conditions: string[] = [];

  /** One that needs no value. */
  add(condition: string): void {
    this.#conditions.push(condition);
  }

  /** One about a value, written with the value's place; none when nothing is asked of it. */
  addFor(value: unknown, condition: (place: string) => string): void {
    if (value !== undefined) this.add(condition(this.place(value)));
  }

  /** A place of the statement for a value: `$1` for the first. */
  place(value: unknown): string {
    this.params.push(value);
    return `$${this.params.length}`;
  }

  /** `where` with all of them, or nothing when there is none. */
  get where(): string {
    return this.#conditions.length > 0 ? `where ${this.#conditions.join(' and ')}` : '';
  }
}
