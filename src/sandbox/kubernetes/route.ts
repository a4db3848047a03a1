/** A path of the core API, taken apart. */
export interface Route {
  /** Missing in `/api/v1/pods`, which means all of them. */
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows `/proxy`, with its leading slash and still escaped; empty for `/proxy` itself. */
  readonly rest: string;
}

/** Reads `/api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE[/…]]]`; nothing for other or wrongly escaped paths. */
export function parseRoute(path: string): Route | undefined {
  const match =
    /^\/api\/v1(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z]+)(?:\/([^/]+)(?:\/([a-z]+)(\/.*)?)?)?$/.exec(path);
  if (!match) return undefined;
  const [, namespace, resource = '', name, subresource, rest = ''] = match;
  try {
    return {
      namespace: namespace && decodeURIComponent(namespace),
      resource,
      name: name && decodeURIComponent(name),
      subresource,
      rest,
    };
  } catch {
    return undefined;
  }
}
