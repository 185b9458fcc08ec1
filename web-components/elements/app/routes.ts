/** What the page shows at an address. */
export type Route =
  | { readonly name: 'submit' }
  | { readonly name: 'requests' }
  | { readonly name: 'request'; readonly id: number }
  | { readonly name: 'model'; readonly id: string }
  | { readonly name: 'unknown'; readonly path: string };

/** The route of a path; a trailing slash makes no difference. */
export function toRoute(path: string): Route {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return { name: 'submit' };
  if (trimmed === '/requests') return { name: 'requests' };
  const request = /^\/requests\/(\d{1,15})$/.exec(trimmed)?.[1];
  if (request) return { name: 'request', id: Number(request) };
  const model = /^\/models\/([^/]+)$/.exec(trimmed)?.[1];
  if (model) return { name: 'model', id: decodeOrKeep(model) };
  return { name: 'unknown', path };
}

/** Title of the browser's tab. */
export function titleOf(route: Route): string {
  switch (route.name) {
    case 'submit':
      return 'Model hub';
    case 'requests':
      return 'Your requests · Model hub';
    case 'request':
      return `Request ${route.id} · Model hub`;
    case 'model':
      return `${route.id} · Model hub`;
    case 'unknown':
      return 'Nothing here · Model hub';
  }
}

/** A path typed by hand may hold a lone percent sign. */
function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
