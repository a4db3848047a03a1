import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls';
import { Code, GatewayError } from '../protocol/index.ts';
import { type BodyHead, sendsBody } from './exchange.ts';
import { allowsOrigin, type CorsOptions } from './headers.ts';

export interface GuardOptions {
  /** Names that clients may call this gateway by; `*.example.com` for every name below, `*` for any. */
  readonly allowedHosts: readonly string[];
  /** Pages of these origins may change something too. */
  readonly cors: CorsOptions;
  /** Further names, such as those of the Service and the API server of the cluster that the gateway runs in. */
  readonly isClusterName?: (host: string) => boolean;
}

/** What the guard looks at: the same of HTTP/1.1, HTTP/2 and gRPC requests. */
export interface GuardedRequest extends BodyHead {
  readonly socket: unknown;
}

/**
 * What a web page can do to a gateway that its visitor reaches and the page's author does not. A page of another origin
 * sends simple requests without asking (CSRF); a page whose name is pointed to the gateway's address later is of the
 * same origin for the browser (DNS rebinding), but shows its name in `Host`.
 */
export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @throws GatewayError with reason MISDIRECTED_REQUEST for a host that is not this gateway's */
  checkHost({ headers, socket }: GuardedRequest): void {
    for (const authority of [headers.host, headers[':authority'] as string | undefined]) {
      if (authority === undefined) continue;
      const host = hostOf(authority);
      if (host !== undefined && this.#isOurs(host, socket)) continue;
      const shown = JSON.stringify(authority.slice(0, 100));
      throw new GatewayError(
        Code.FAILED_PRECONDITION,
        `${shown} is no name of this gateway; --allowed-hosts adds names`,
        { reason: 'MISDIRECTED_REQUEST' },
      );
    }
  }

  /**
   * For what changes something, by whatever verb.
   * @throws GatewayError PERMISSION_DENIED where a page of another origin asks; INVALID_ARGUMENT with reason
   * UNSUPPORTED_MEDIA_TYPE where a page sends what browsers send without a preflight
   */
  checkOrigin(request: GuardedRequest): void {
    const { headers } = request;
    if (!this.#isTrusted(request)) {
      throw new GatewayError(
        Code.PERMISSION_DENIED,
        'a page of another origin may not change anything here; --enable-cors allows origins',
      );
    }
    // curl's form type and none at all are for clients that are no browsers
    const type = headers['content-type'];
    if (!isPage(request) || (type === undefined ? !sendsBody(request) : readableTypes.test(type))) return;
    throw new GatewayError(
      Code.INVALID_ARGUMENT,
      'a page has to send application/json or multipart/form-data',
      {
        reason: 'UNSUPPORTED_MEDIA_TYPE',
      },
    );
  }

  /** The same for calls by gRPC: other clients than web pages name the gateway as they like. */
  checkCall(request: GuardedRequest): void {
    if (!isPage(request) && !request.headers['content-type']?.startsWith('application/grpc-web')) return;
    this.checkHost(request);
    this.checkOrigin(request);
  }

  #isOurs(host: string, socket: unknown): boolean {
    return (
      isIP(host) > 0 ||
      host === 'localhost' ||
      host.endsWith('.localhost') ||
      this.#options.allowedHosts.some(allowed => matches(allowed.toLowerCase(), host)) ||
      // no page reaches another name over TLS: the browser has looked at the certificate
      isNamedByCertificate(socket as TLSSocket | undefined, host) ||
      Boolean(this.#options.isClusterName?.(host))
    );
  }

  #isTrusted({ headers, socket }: GuardedRequest): boolean {
    const { cors } = this.#options;
    const { origin, referer, host = headers[':authority'] } = headers;
    const site = headers['sec-fetch-site'];
    if (
      cors.enabled &&
      (cors.originHosts.includes('*') || (origin !== undefined && allowsOrigin(cors, origin)))
    )
      return true;
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    const proxied = headers['x-forwarded-proto'];
    const scheme =
      typeof proxied === 'string'
        ? proxied
        : (socket as Partial<TLSSocket> | undefined)?.encrypted
          ? 'https'
          : 'http';
    const own = `${scheme}://${String(host).toLowerCase()}`;
    // the API server's proxy shows its own name as Host, and what it adds no page of another origin may send
    if (origin !== undefined)
      return origin === own || (site === 'same-origin' && headers['x-forwarded-uri'] !== undefined);
    if (site !== undefined) return true;
    // to plain http:// browsers send no Sec-Fetch-*, and with GET no Origin
    if (referer !== undefined) return referer === own || referer.startsWith(`${own}/`);
    return !/^Mozilla\//i.test(headers['user-agent'] ?? '');
  }
}

/** The types that a page cannot send to another origin without a preflight, and forms, which only its own origin may. */
const readableTypes =
  /^\s*(?:application\/(?:(?:[\w.+-]+\+)?json|grpc[\w.+-]*)|multipart\/form-data)\s*(?:;|$)/i;

/** Sec-Fetch-Mode alone is no sign of a page: Node's own fetch sends it. */
function isPage({ headers }: GuardedRequest): boolean {
  return ['origin', 'sec-fetch-site', 'sec-fetch-dest', 'sec-fetch-user'].some(
    name => headers[name] !== undefined,
  );
}

/** The name or address of an authority, in lower case; nothing for what is none. */
function hostOf(authority: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+?)\.?)(?::\d{0,5})?$/i.exec(authority);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function matches(allowed: string, host: string): boolean {
  return allowed === '*' || allowed === host || (allowed.startsWith('*.') && host.endsWith(allowed.slice(1)));
}

const certificates = new WeakMap<object, PeerCertificate | undefined>();

/** Whether the certificate that the gateway shows on a connection is for this name. Parsed once per connection. */
function isNamedByCertificate(socket: TLSSocket | undefined, host: string): boolean {
  if (!socket?.encrypted) return false;
  if (!certificates.has(socket))
    certificates.set(socket, socket.getCertificate() as PeerCertificate | undefined);
  const certificate = certificates.get(socket);
  return certificate?.subject !== undefined && checkServerIdentity(host, certificate) === undefined;
}
