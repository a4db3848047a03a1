import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { invalidArgument, reasonOf, stepFailed } from '../protocol/index.ts';

/** The port Tiller listens on unless told otherwise. */
export const tillerPort = 44134;

/** Where a socket leads: a TCP address, or a Unix socket in the file system. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** `--tiller-endpoint`, read. */
export interface Endpoint {
  readonly address: SocketAddress;
  /** True for `https://` and `tls://`, false for `http://`, undefined without a scheme. */
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

/** One open byte stream to a Tiller; whoever asked for it owns it and destroys it. */
export interface TillerStream {
  /** TCP socket, Unix socket or tunnel. TLS and HTTP/2 are put on top of it by `tiller/`. */
  readonly stream: Duplex;
  /** `host:port` for `:authority`; its host is also what a TLS certificate has to name. */
  readonly authority: string;
  /** Where it leads, for logs and errors: `pod kube-system/tiller-deploy-5b4f through https://10.0.0.1`. */
  readonly target: string;
}

/** Finds one Tiller, and opens streams to it. */
export interface Connector {
  /** Where Tiller is, for people, without secrets. */
  readonly description: string;
  /** Where Tiller always is, if that is known: a client that can dial does so itself. */
  readonly address?: SocketAddress;
  /**
   * Finds Tiller (anew each time, since pods come and go) and opens one stream to it.
   * @param signal ends the attempt; the caller bounds its time with it
   * @throws GatewayError, mostly UNAVAILABLE, with the step that failed (finding Tiller, opening the
   * tunnel, connecting) and holds no secret
   */
  connect(signal: AbortSignal): Promise<TillerStream>;
}

export interface DialOptions {
  readonly address: SocketAddress;
  /** What the address stands for, where messages should name it. */
  readonly name?: string;
  /** Bound on name resolution and connecting together. */
  readonly timeoutMs: number;
  /** Ends the attempt early. */
  readonly signal: AbortSignal;
}

/**
 * Opens a TCP or Unix socket with Nagle's delay off; all addresses of a name are tried (Node's "happy eyeballs").
 * The caller owns the socket and has to listen for its errors.
 * @throws GatewayError UNAVAILABLE with the address and the reason
 */
export async function dial({ address, name, timeoutMs, signal }: DialOptions): Promise<Socket> {
  const step = `connecting to ${name === undefined ? addressText(address) : `${name} at ${addressText(address)}`}`;
  if (signal.aborted) throw stepFailed(step, 'given up', { cause: signal.reason });
  const late = AbortSignal.timeout(timeoutMs);
  const socket = connect({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, late]) });
    return socket;
  } catch (cause) {
    socket.on('error', () => {}).destroy();
    if (signal.aborted) throw stepFailed(step, 'given up', { cause: signal.reason });
    throw stepFailed(step, late.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(cause), { cause });
  }
}

/** The address as messages show it. */
export function addressText(address: SocketAddress): string {
  return 'path' in address ? `unix:${address.path}` : hostPort(address.host, address.port);
}
