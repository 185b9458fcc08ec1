/** What tells two observations of the cluster apart. */
export interface VersionedObject {
  readonly name: string;
  readonly uid: string;
  readonly version: number;
}

export interface ObjectChange<Seen> {
  readonly type: 'changed' | 'gone';
  readonly object: Seen;
}

/** Ended objects are remembered until so many more have ended, so that a late word of them is known as late. */
const REMEMBERED_ENDS = 2000;

/** What is known of a list's objects, ordered by uid and version: in whatever order words arrive, time goes forward. */
export class ObjectState<Seen extends VersionedObject> {
  readonly #known = new Map<string, Seen>();
  readonly #ended = new Set<string>();

  /** Takes a whole list, which is right by itself. @returns its objects */
  replace(objects: readonly Seen[]): readonly Seen[] {
    const listed = new Set(objects.map(({ uid }) => uid));
    for (const { uid } of this.#known.values()) if (!listed.has(uid)) this.#remember(uid);
    this.#known.clear();
    for (const object of objects) this.#known.set(object.name, object);
    return objects;
  }

  /** Takes one word of an object. @returns what changed by it: nothing when it is old or said twice */
  take(gone: boolean, object: Seen): ObjectChange<Seen>[] {
    if (this.#ended.has(object.uid)) return [];
    const known = this.#known.get(object.name);
    if (known?.uid === object.uid) return this.#takeKnown(gone, object, known);
    if (known && known.version >= object.version) {
      // Its name has a newer owner, so it has ended.
      this.#remember(object.uid);
      return [];
    }
    if (gone) {
      // Its beginning was never seen; whatever had its name before it is gone too.
      this.#known.delete(object.name);
      this.#remember(object.uid);
      if (known) this.#remember(known.uid);
      return [{ type: 'gone', object: known ?? object }];
    }
    this.#known.set(object.name, object);
    if (!known) return [{ type: 'changed', object }];
    this.#remember(known.uid);
    return [
      { type: 'gone', object: known },
      { type: 'changed', object },
    ];
  }

  #takeKnown(gone: boolean, object: Seen, known: Seen): ObjectChange<Seen>[] {
    if (gone) {
      this.#known.delete(object.name);
      this.#remember(object.uid);
      return [{ type: 'gone', object: object.version > known.version ? object : known }];
    }
    if (object.version <= known.version) return [];
    this.#known.set(object.name, object);
    return [{ type: 'changed', object }];
  }

  #remember(uid: string): void {
    this.#ended.add(uid);
    const [oldest] = this.#ended;
    if (this.#ended.size > REMEMBERED_ENDS && oldest !== undefined) this.#ended.delete(oldest);
  }
}
