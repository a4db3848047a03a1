import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, connect, isIP, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { unavailable } from '../protocol/index.ts';
import type { ServerTls } from './api.ts';
import { hostPort } from './endpoint.ts';
import { type GoUrl, parseGoUrl, withoutZone } from './server-url.ts';

/**
 * The proxy that the environment names for a URL, as Go's programs (and so kubectl) read it: `HTTPS_PROXY` or
 * `HTTP_PROXY` by the URL's scheme, lower case too, unless `NO_PROXY` excepts the host.
 * Rules: https://pkg.go.dev/golang.org/x/net/http/httpproxy
 * @param host the URL's host as it was written, where that is another one to Go
 */
export function proxyFor(server: string, environment: NodeJS.ProcessEnv, host?: string): string | undefined {
  const url = new URL(server);
  const read = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
  const isPlain = url.protocol === 'http:';
  const proxy = read(isPlain ? 'HTTP_PROXY' : 'HTTPS_PROXY');
  // a web server's CGI program has a client's `Proxy` header there
  if (isPlain && proxy !== undefined && environment.REQUEST_METHOD)
    throw unavailable('HTTP_PROXY is not used beside REQUEST_METHOD, as in the environment of a CGI program');
  if (proxy === undefined || isExcepted(url, host ?? url.hostname, read('NO_PROXY') ?? '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isExcepted(url: URL, hostname: string, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  // Go never sends requests for this machine through a proxy
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return true;
  const port = url.port || (url.protocol === 'http:' ? '80' : '443');
  return noProxy
    .split(',')
    .map(entry => entry.trim().toLowerCase())
    .some(entry => entry !== '' && matchesEntry(host, port, entry));
}

function matchesEntry(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInRange(host, entry);
  if (isIP(entry) !== 0) return host === entry;
  const [, name = entry, entryPort] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  if (name.startsWith('*.')) return host.endsWith(name.slice(1));
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

/** Whether an IP address is in a CIDR range; names never are. */
function isInRange(host: string, range: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(host) === 0 || isIP(host) !== isIP(network) || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 'ipv6' ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}

/*
 * Connections to an API server through a proxy, as Go's net/http makes them. Not those of a library (agents of
 * @kubernetes/client-node and others): they verify an HTTPS proxy by other rules than the API server, resolve names
 * before a SOCKS proxy gets them, and dial what WHATWG makes of a host.
 */

/** Bound on connecting to a proxy and its answer. */
const proxyTimeoutMs = 10_000;

const defaultPorts: Record<string, number> = { http: 80, https: 443, socks5: 1080, socks5h: 1080 };

/** @returns undefined where kubectl refuses it, or no host is named */
export function parseProxy(text: string): GoUrl | undefined {
  const url = parseGoUrl(text.replace(/#.*$/s, ''));
  return url && defaultPorts[url.scheme] !== undefined ? url : undefined;
}

export interface Route {
  /** The server. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly proxy: GoUrl | undefined;
  /** TLS to the server, where it is secure. */
  readonly tls: ServerTls;
  /** TLS to a proxy with https. */
  readonly proxyTls: ServerTls;
}

/** An agent whose connections all lead to one server, whatever host a request names. It keeps none of them. */
export function createRouteAgent(route: Route): HttpAgent {
  const agent = route.isSecure ? new HttpsAgent() : new HttpAgent();
  agent.createConnection = (_options, callback) => {
    open(route).then(
      stream => callback?.(null, stream),
      error => callback?.(error, undefined as never),
    );
    return undefined;
  };
  return agent;
}

async function open({ host, port, isSecure, proxy, tls, proxyTls }: Route): Promise<Duplex> {
  const target = { host, port };
  const stream = !proxy
    ? connect({ ...target, noDelay: true })
    : proxy.scheme.startsWith('socks5')
      ? await throughSocks(proxy, target)
      : await throughHttp(proxy, target, proxyTls);
  return isSecure ? connectTls({ ...tls, socket: stream }) : stream;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function throughHttp(proxy: GoUrl, target: Target, tls: ServerTls): Promise<Duplex> {
  const path = hostPort(target.host, target.port);
  const { login } = proxy;
  const basic = login && Buffer.from(`${login.name}:${login.password}`).toString('base64');
  const options = {
    ...addressOf(proxy),
    ...tls,
    method: 'CONNECT',
    path,
    headers: { host: path, ...(basic && { 'proxy-authorization': `Basic ${basic}` }) },
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const request = proxy.scheme === 'https' ? httpsRequest(options) : httpRequest(options);
    const late = () => request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    const timer = setTimeout(late, proxyTimeoutMs);
    request.once('close', () => clearTimeout(timer)).on('error', reject);
    request.once('response', response => {
      response.resume();
      reject(refused(response.statusCode));
    });
    request.once('connect', ({ statusCode }, socket, head) => {
      clearTimeout(timer);
      if (statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      socket.destroy();
      reject(refused(statusCode));
    });
    request.end();
  });
}

function refused(status: number | undefined): Error {
  return new Error(`the proxy answered with status ${status}`);
}

/** The proxy gets the name, not an address that it resolves to. */
async function throughSocks(proxy: GoUrl, target: Target): Promise<Duplex> {
  const { SocksClient } = await import('socks');
  const login = proxy.login && { userId: proxy.login.name, password: proxy.login.password };
  const { socket } = await SocksClient.createConnection({
    proxy: { ...addressOf(proxy), type: 5, ...login },
    command: 'connect',
    destination: { ...target, host: isIPv6(target.host) ? withoutZone(target.host) : target.host },
    timeout: proxyTimeoutMs,
  });
  return socket;
}

function addressOf({ scheme, host, port }: GoUrl): Target {
  return { host, port: port === '' ? (defaultPorts[scheme] ?? 80) : Number(port) };
}
