import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { listOf, objectOf, textOf } from '../objects/kube-object.ts';
import { type ApiAnswer, failure, type Route } from './api-call.ts';
import type { ClusterState, Target } from './cluster-state.ts';

/** Where a service-proxy path leads. */
export interface Upstream {
  readonly secure: boolean;
  readonly target: Target;
}

/** Finds the address behind `[SCHEME:]NAME[:PORTNAME]`, or says why not, as the API server does. */
export function findUpstream(state: ClusterState, route: Route): Upstream | ApiAnswer {
  const parts = (route.name ?? '').split(':');
  const [scheme, name, portName] = parts.length === 3 ? parts : ['', ...parts];
  const service = state.service(route.namespace ?? '', name ?? '');
  if (!service) return failure(404, `services ${JSON.stringify(name)} not found`);
  const ports = listOf(objectOf(service.spec).ports).map(objectOf);
  const port = portName
    ? ports.find(candidate => candidate.name === portName || String(candidate.port) === portName)
    : ports[0];
  if (!port)
    return failure(
      503,
      `no service port ${JSON.stringify(portName)} found for service ${JSON.stringify(name)}`,
    );
  const target = state.targetBehind(service, textOf(port.name));
  if (!target) return failure(503, `no endpoints available for service ${JSON.stringify(name)}`);
  return { secure: scheme === 'https', target };
}

/** Passes a request on and streams the answer back. */
export function proxyRequest(
  upstream: Upstream,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const outgoing = openRequest(upstream, route, request);
  outgoing.once('response', answer => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutConnection(answer.headers));
    pipeline(answer, response, () => {});
  });
  outgoing.once('error', error => {
    if (response.headersSent) return void response.destroy();
    const { status, body } = failure(503, `error trying to reach service: ${error.message}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  response.once('close', () => outgoing.destroy());
  pipeline(request, outgoing, () => {});
}

/** Passes an upgrade on; after it, both directions are just bytes. */
export function proxyUpgrade(
  upstream: Upstream,
  route: Route,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const outgoing = openRequest(upstream, route, request, {
    connection: 'Upgrade',
    upgrade: request.headers.upgrade,
  });
  outgoing.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
    socket.write(headOf(answer));
    socket.write(upstreamHead);
    upstreamSocket.write(head);
    socket.pipe(upstreamSocket).pipe(socket);
    upstreamSocket.once('error', () => socket.destroy()).once('close', () => socket.destroy());
    socket.once('close', () => upstreamSocket.destroy());
  });
  outgoing.once('response', answer => {
    socket.write(headOf(answer));
    pipeline(answer, socket, () => {});
  });
  outgoing.once('error', () => socket.destroy());
  socket.once('error', () => outgoing.destroy()).once('close', () => outgoing.destroy());
  outgoing.end();
}

function openRequest(
  upstream: Upstream,
  route: Route,
  request: IncomingMessage,
  more: OutgoingHttpHeaders = {},
) {
  const { target, secure } = upstream;
  const url = new URL(request.url ?? '/', 'https://sandbox');
  const options = {
    ...('path' in target ? { socketPath: target.path } : target),
    method: request.method,
    path: (route.rest || '/') + url.search,
    headers: { ...forwardedHeaders(request, url.pathname), ...more },
    agent: false as const,
  };
  // the API server does not verify the certificates of Services either
  return secure ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
}

/** Everything but the login, which is meant for the API server, and hop-by-hop headers. */
function forwardedHeaders(request: IncomingMessage, path: string): OutgoingHttpHeaders {
  const { authorization: _login, ...headers } = withoutConnection(request.headers);
  const address = request.socket.remoteAddress;
  const before = request.headers['x-forwarded-for'];
  return {
    ...headers,
    'x-forwarded-for': before ? `${before}, ${address}` : address,
    'x-forwarded-uri': path,
  };
}

function withoutConnection({
  connection,
  'keep-alive': _keepAlive,
  ...headers
}: OutgoingHttpHeaders): OutgoingHttpHeaders {
  if (!/upgrade/i.test(String(connection))) delete headers.upgrade;
  return headers;
}

/** The first lines of an answer that is written to a bare socket; its end is the connection's end unless upgraded. */
function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i] ?? '';
    const isHopHeader =
      answer.statusCode !== 101 && /^(connection|transfer-encoding|keep-alive)$/i.test(name);
    if (!isHopHeader) lines.push(`${name}: ${answer.rawHeaders[i + 1]}`);
  }
  if (answer.statusCode !== 101) lines.push('Connection: close');
  return `${lines.join('\r\n')}\r\n\r\n`;
}
