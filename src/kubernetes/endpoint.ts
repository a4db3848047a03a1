import { invalidArgument } from '../protocol/index.ts';

/** The port Tiller listens on unless told otherwise. */
export const tillerPort = 44134;

/** Where a socket leads: a TCP address, or a Unix socket in the file system. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** `--tiller-endpoint`, read. */
export interface Endpoint {
  readonly address: SocketAddress;
  /** What the endpoint says about TLS: `https://` and `tls://` true, `http://` false, anything else nothing. */
  readonly tls: boolean | undefined;
}

const schemes: Record<string, boolean> = { 'http:': false, 'https:': true, 'tls:': true };

/**
 * Reads `host:port`, `host`, `[::1]:44134`, `http://…`, `https://…`, `tls://…`, or `unix:/path` (also `unix:///path`).
 * A missing port is Tiller's own, 44134, whatever the scheme.
 * @throws GatewayError INVALID_ARGUMENT for anything else; credentials in the text are refused and not repeated
 */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('unix:')) return { address: parseUnixPath(text), tls: undefined };
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && schemes[scheme] === undefined) {
    throw invalidArgument(
      `a Tiller endpoint cannot start with ${scheme}//: use host:port, http, https, tls or unix`,
    );
  }
  const address = parseHostPort(scheme === undefined ? text : text.slice(scheme.length + 2));
  return { address, tls: scheme === undefined ? undefined : schemes[scheme] };
}

/** `host:port` as `:authority` and messages show it; IPv6 addresses get their brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseUnixPath(text: string): SocketAddress {
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  // sun_path holds 108 bytes on Linux with its closing zero, and connecting to a longer one fails with a bare EINVAL
  if (!path.startsWith('/') || Buffer.byteLength(path) > 107 || path.includes('\0')) {
    throw invalidArgument('a Unix socket endpoint is unix: and an absolute path of at most 107 bytes');
  }
  return { path };
}

function parseHostPort(text: string): SocketAddress {
  if (text.includes('@')) throw invalidArgument('a Tiller endpoint cannot hold credentials');
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:/?#[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? tillerPort : Number(match[3]);
  if (host === undefined)
    throw invalidArgument(`${JSON.stringify(text)} is not a Tiller endpoint: expected host:port`);
  if (port < 1 || port > 65535) throw invalidArgument(`the Tiller endpoint's port ${port} is not in 1-65535`);
  return { host, port };
}
