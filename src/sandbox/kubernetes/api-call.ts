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

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** An answer with an HTTP status of its own. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

/** A failure as the API server words it: a `v1.Status`. */
export function failure(status: number, message: string): ApiAnswer {
  return {
    status,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: reasons[status] ?? 'Unknown',
      code: status,
    },
  };
}
