import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls, { type TLSSocket } from 'node:tls';

/** What reached the API server. */
export interface SeenRequest {
  readonly url: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly serverName: string | undefined;
  /** SHA-256 of the client's certificate as DER. */
  readonly clientCertificate: string | undefined;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly proxy: SeenProxy | undefined;
}

/** How a proxy was asked. */
export interface SeenProxy {
  readonly kind: 'http' | 'https' | 'socks5';
  readonly target: string;
  readonly login: string | undefined;
}

export interface KubeconfigServers {
  readonly apiPort: number;
  readonly proxyPort: number;
  readonly seen: SeenRequest[];
  close(): void;
}

/**
 * The API server and the proxy of the kubeconfig cases, both on 127.0.0.1. Each port takes all that its kind may be asked:
 * the API server's plain HTTP and TLS, and an OpenID Connect provider; the proxy's HTTP, HTTPS and SOCKS5. Whatever
 * host a proxy is asked for, it leads to the API server.
 */
export async function startKubeconfigServers(pki: URL): Promise<KubeconfigServers> {
  const read = (name: string) => readFileSync(new URL(name, pki));
  const pair = { cert: read('server.pem'), key: read('server-key.pem') };
  const otherNames = tls.createSecureContext({
    cert: read('server-two.pem'),
    key: read('server-two-key.pem'),
  });
  const seen: SeenRequest[] = [];
  const proxied = new Map<number | undefined, SeenProxy>();

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { url = '', socket } = request;
    response.setHeader('content-type', 'application/json');
    const isIssuer = url.startsWith('/issuer/');
    if (!isIssuer) seen.push(toSeen(request, proxied.get(remotePortOf(socket))));
    response.end(JSON.stringify(isIssuer ? issuerAnswer(request) : { major: '1', minor: '16' }));
  };
  const secureApi = https.createServer(
    {
      ...pair,
      requestCert: true,
      rejectUnauthorized: false,
      SNICallback: (name, give) => give(null, name.endsWith('.two.test') ? otherNames : undefined),
    },
    answer,
  );
  const api = await sniff(byte => (byte === 0x16 ? secureApi : plainApi));
  const plainApi = quiet(http.createServer(answer));
  quiet(secureApi);

  const pipe = (client: Duplex, via: SeenProxy, reply: Buffer | string) => {
    const out = net.connect(portOf(api), '127.0.0.1', () => {
      const port = out.localPort;
      proxied.set(port, via);
      out.on('close', () => proxied.delete(port));
      client.write(reply);
      out.pipe(client).pipe(out);
    });
    out.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('error', () => out.destroy()).on('close', () => out.destroy());
  };
  const httpProxy = (kind: 'http' | 'https') => {
    const server = kind === 'https' ? https.createServer(pair) : http.createServer();
    server.on('connect', (request, socket) => {
      const login = request.headers['proxy-authorization']?.replace(/^Basic /, '');
      const via = {
        kind,
        target: request.url ?? '',
        login: login && Buffer.from(login, 'base64').toString(),
      };
      pipe(socket, via, 'HTTP/1.1 200 OK\r\n\r\n');
    });
    return quiet(server);
  };
  const proxies = { plain: httpProxy('http'), secure: httpProxy('https') };
  const socks = net.createServer(socket => {
    askSocks(socket).then(
      via => pipe(socket, via, Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])),
      () => socket.destroy(),
    );
  });
  const proxy = await sniff(byte => (byte === 0x16 ? proxies.secure : byte === 5 ? socks : proxies.plain));
  return {
    apiPort: portOf(api),
    proxyPort: portOf(proxy),
    seen,
    close() {
      api.close();
      proxy.close();
    },
  };
}

function quiet<Server extends http.Server | https.Server>(server: Server): Server {
  server.on('tlsClientError', () => {}).on('clientError', (_error, socket) => socket.destroy());
  return server;
}

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

/** Of a connection's TCP socket, TLS or not. */
function remotePortOf(socket: Socket & { _parent?: Socket }): number | undefined {
  return (socket._parent ?? socket).remotePort ?? socket.remotePort;
}

/** Listens, and gives each connection to the server for its first byte. */
async function sniff(choose: (byte: number | undefined) => net.Server): Promise<net.Server> {
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('readable', () => {
      const chunk: Buffer | null = socket.read();
      if (chunk !== null) socket.unshift(chunk);
      if (chunk === null) socket.destroy();
      else choose(chunk[0]).emit('connection', socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function toSeen(request: IncomingMessage, proxy: SeenProxy | undefined): SeenRequest {
  const { socket, url = '', rawHeaders } = request;
  const secure = 'encrypted' in socket ? (socket as TLSSocket & { servername?: string }) : undefined;
  const certificate = secure?.getPeerCertificate().raw;
  const headers: Record<string, string[]> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    // Node gives the bytes as Latin-1; Go sends UTF-8
    headers[name] = [...(headers[name] ?? []), Buffer.from(rawHeaders[at + 1]!, 'latin1').toString()];
  }
  return {
    url,
    scheme: secure ? 'https' : 'http',
    host: request.headers.host ?? '',
    serverName: secure?.servername || undefined,
    clientCertificate: certificate && createHash('sha256').update(certificate).digest('hex'),
    headers,
    proxy,
  };
}

/** The token that the provider gives for any refresh token. */
const refreshedToken = [{ alg: 'RS256' }, { iss: 'synthetic', sub: 'refreshed', exp: 4102444800 }]
  .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

function issuerAnswer({ url = '', headers }: IncomingMessage): object {
  const issuer = `https://${headers.host}/issuer`;
  if (url.includes('.well-known')) return { issuer, token_endpoint: `${issuer}/token` };
  return { access_token: 'a', token_type: 'Bearer', expires_in: 3600, id_token: `${refreshedToken}.c2ln` };
}

/** The greeting, the login and the request of SOCKS5 (RFC 1928 and 1929). */
async function askSocks(socket: Socket): Promise<SeenProxy> {
  const take = async (length: number): Promise<Buffer> => {
    for (;;) {
      if (length === 0) return Buffer.alloc(0);
      const chunk = socket.read(length);
      if (chunk !== null) return chunk;
      await once(socket, 'readable', { signal: AbortSignal.timeout(5_000) });
    }
  };
  const text = async () => (await take((await take(1))[0]!)).toString();
  const methods = await take((await take(2))[1]!);
  let login: string | undefined;
  if (methods.includes(2)) {
    socket.write(Buffer.from([5, 2]));
    await take(1);
    login = `${await text()}:${await text()}`;
    socket.write(Buffer.from([1, 0]));
  } else socket.write(Buffer.from([5, 0]));
  const type = (await take(4))[3];
  const host = type === 3 ? await text() : (await take(type === 1 ? 4 : 16)).toString('hex');
  return { kind: 'socks5', target: `${host}:${(await take(2)).readUInt16BE()}`, login };
}
