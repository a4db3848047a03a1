import { BlockList, isIP } from 'node:net';

/**
 * The proxy that the environment names for a URL, as Go's programs (and so kubectl) read it: `HTTPS_PROXY` or
 * `HTTP_PROXY` by the URL's scheme, lower case too, unless `NO_PROXY` excepts the host.
 * Rules: https://pkg.go.dev/golang.org/x/net/http/httpproxy
 * @param host the URL's host as it was written, where that is another one to Go
 */
export function proxyFor(server: string, environment: NodeJS.ProcessEnv, host?: string): string | undefined {
  const url = new URL(server);
  const read = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
  const proxy = read(url.protocol === 'http:' ? 'HTTP_PROXY' : 'HTTPS_PROXY');
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
