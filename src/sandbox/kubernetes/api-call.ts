import { KubeFailure } from '../objects/failure.ts';

/** A path of the API below a group and version, taken apart. */
export interface Route {
  /** Empty for the core API. */
  readonly group: string;
  readonly version: string;
  /** Missing in `/api/v1/pods`, which means all of them. */
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows `/proxy`, with its leading slash and still escaped; empty for `/proxy` itself. */
  readonly rest: string;
}

/**
 * Reads `/api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE[/…]]]`, and the same behind `/apis/GROUP/VERSION`; nothing
 * for other or wrongly escaped paths.
 */
export function parseRoute(path: string): Route | undefined {
  const match =
    /^\/(?:api|apis\/([a-z0-9.-]+))\/([a-z0-9]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([a-z][a-z0-9.-]*)(?:\/([^/]+)(?:\/([a-z]+)(\/.*)?)?)?$/.exec(
      path,
    );
  if (!match) return undefined;
  const [, group = '', version = '', namespace, resource = '', name, subresource, rest = ''] = match;
  try {
    const space = namespace && decodeURIComponent(namespace);
    const ofNamespace = space !== undefined && name === undefined && /^(status|finalize)$/.test(resource);
    if (ofNamespace) {
      const own = { resource: 'namespaces', name: space, subresource: resource };
      return { group, version, namespace: undefined, ...own, rest };
    }
    return {
      group,
      version,
      namespace: space,
      resource,
      name: name && decodeURIComponent(name),
      subresource,
      rest,
    };
  } catch {
    return undefined;
  }
}

/** An answer with an HTTP status of its own. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: object | string;
}

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** A failure as the API server words it: a `v1.Status`. */
export function failure(status: number, message: string): ApiAnswer {
  const failed = new KubeFailure(status, reasons[status] ?? 'Unknown', message);
  return { status, body: failed.toStatus() };
}
