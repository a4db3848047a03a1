import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../protocol/index.ts';
import { KubeFailure } from '../objects/failure.ts';
import { type ApiAnswer, failure, parseRoute, type Route } from './api-call.ts';
import type { ServerCertificate } from './certificate.ts';
import type { ClusterState } from './cluster-state.ts';
import { discoveryDocument, publicDocument } from './discovery.ts';
import type { Faults } from './faults.ts';
import { isTrue } from './list-query.ts';
import { answerObjects } from './object-api.ts';
import { createPortForwarder } from './port-forward.ts';
import { findUpstream, proxyRequest, proxyUpgrade } from './service-proxy.ts';
import type { Watches } from './watch.ts';

export interface ApiServerOptions {
  readonly state: ClusterState;
  readonly certificate: ServerCertificate;
  readonly faults: Faults;
  readonly watches: Watches;
  /** The token that is valid at the moment. */
  readonly token: () => string;
}

/** The HTTPS server of the sandbox cluster; `listen` may be called again after `stop`, for the same port. */
export function createApiServer({ state, certificate, faults, watches, token }: ApiServerOptions) {
  const server = createServer({
    cert: certificate.certPem,
    key: certificate.keyPem,
    requestTimeout: 0,
    keepAliveTimeout: 90_000, // as kube-apiserver: a shorter one cuts off requests that are sent at that moment
  });
  const connections = new Set<Duplex>();
  const forwarder = createPortForwarder(faults);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (faults.delayMs > 0) await sleep(faults.delayMs, undefined, { ref: false });
    const { path, query } = urlOf(request);
    if (/^\/(healthz|livez|readyz)$/.test(path)) return void response.end('ok');
    const known = publicDocument(path);
    if (known) return send(response, { status: 200, body: known });
    if (!isLoggedIn(request, token())) return send(response, failure(401, 'Unauthorized'));
    const address = `${request.socket.localAddress}:${request.socket.localPort}`;
    const discovery = discoveryDocument(state.objects.resources, path, address);
    if (discovery) return send(response, { status: 200, body: discovery });
    const route = parseRoute(path);
    if (!route) return send(response, failure(404, 'the server could not find the requested resource'));
    if (isServiceProxy(route)) return proxy(route, request, response, path);
    const refused =
      faults.refusal('list') ?? (isTrue(query.get('watch')) ? faults.refusal('watch') : undefined);
    if (refused) return send(response, refused);
    const options = { objects: state.objects, watches, token };
    const answered = await answerObjects(options, route, request, response, query).catch(toAnswer);
    if (answered) send(response, answered);
  }

  function proxy(route: Route, request: IncomingMessage, response: ServerResponse, path: string): void {
    if (route.rest === '' && /^(GET|HEAD)$/.test(request.method ?? '')) {
      return void response.writeHead(301, { location: `${path}/` }).end(); // so that relative links work
    }
    const upstream = findUpstream(state, route);
    if ('status' in upstream) send(response, upstream);
    else proxyRequest(upstream, route, request, response);
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    if (faults.delayMs > 0) await sleep(faults.delayMs, undefined, { ref: false });
    const { path, query } = urlOf(request);
    if (!isLoggedIn(request, token())) return sendRaw(socket, failure(401, 'Unauthorized'));
    const route = parseRoute(path);
    if (route && isServiceProxy(route)) {
      const upstream = findUpstream(state, route);
      if ('status' in upstream) return sendRaw(socket, upstream);
      return proxyUpgrade(upstream, route, request, socket, head);
    }
    const target = route?.resource === 'pods' && route.subresource === 'portforward' ? route : undefined;
    if (!target) return sendRaw(socket, failure(404, 'the server could not find the requested resource'));
    const refusal = faults.refusal('portforward');
    if (refusal) return sendRaw(socket, refusal);
    const pod = state.pod(target.namespace ?? '', target.name ?? '');
    if (!pod) return sendRaw(socket, failure(404, `pods ${JSON.stringify(target.name)} not found`));
    const port = Number(query.get('ports') ?? Number.NaN);
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      return sendRaw(socket, failure(400, `query parameter "ports" is not one port: ${query.get('ports')}`));
    }
    const { uid: podUid = '' } = pod.metadata;
    forwarder.accept(request, socket, head, { podUid, port, target: state.targetOf(podUid, port) });
  }

  server.on('request', (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket, head) => {
    upgrade(request, socket, head).catch(() => socket.destroy());
  });
  server.on('connection', socket => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return {
    /** @returns the port it listens on */
    async listen(host: string, port: number): Promise<number> {
      server.listen(port, host);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
    /** Closes the port and every connection. */
    async stop(): Promise<void> {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

function urlOf(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = '/', ...query] = (request.url ?? '/').split('?');
  return { path, query: new URLSearchParams(query.join('?')) };
}

function isServiceProxy(route: Route): boolean {
  return route.resource === 'services' && route.subresource === 'proxy' && route.namespace !== undefined;
}

/** A bearer token, as a header or, from browsers, as a WebSocket subprotocol. */
function isLoggedIn(request: IncomingMessage, token: string): boolean {
  const header = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const protocols = request.headers['sec-websocket-protocol'] ?? '';
  const encoded = /base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)/.exec(protocols)?.[1];
  const given = Buffer.from(header ?? Buffer.from(encoded ?? '', 'base64url').toString());
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** @throws what is no refusal */
function toAnswer(error: unknown): ApiAnswer {
  if (error instanceof KubeFailure) return { status: error.status, body: error.toStatus() };
  if (error instanceof GatewayError) return failure(400, error.message); // a body that did not arrive
  throw error;
}

function send(response: ServerResponse, { status, body }: ApiAnswer): void {
  if (response.headersSent) return void response.destroy();
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** The answer to an upgrade that is not granted. */
function sendRaw(socket: Duplex, { status, body }: ApiAnswer): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${text}`,
  );
}
