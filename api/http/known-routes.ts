/** Which methods a path knows, to tell "no such path" from "not with this method". */
export class KnownRoutes {
  readonly #routes: { pattern: RegExp; methods: readonly string[] }[] = [];

  /** Takes a route as Fastify has it: `:name` for a segment. Wildcards are left out: they match anything. */
  add(url: string, method: string | readonly string[]): void {
    if (url.includes('*')) return;
    const source = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : escapeForRegExp(part)))
      .join('/');
    this.#routes.push({ pattern: new RegExp(`^${source}/?$`), methods: [method].flat() });
  }

  /** Methods of the path, sorted; empty when nobody knows it. */
  methodsOf(path: string): string[] {
    const methods = this.#routes
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((route) => route.methods);
    return [...new Set(methods)].sort();
  }
}

const escapeForRegExp = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
