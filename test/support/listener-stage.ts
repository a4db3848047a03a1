import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import {
  createListener,
  type Fronts,
  type Listener,
  type ListenerOptions,
} from '../../src/listener/index.ts';

export const roomyOptions: ListenerOptions = {
  targets: [{ host: '127.0.0.1', port: 0, tlsOnly: false }],
  firstByteTimeoutMs: 5000,
  headerTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  maxConnections: 2000,
  maxStreams: 100,
  maxHeaderBytes: 16 * 1024,
  log: () => {},
};

/** What a JSON request may ask of the stage's front. */
export type JsonFront = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** Answers with what it was asked: version, method, path and the length of the body. */
export const echo: JsonFront = (request, response) => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const { httpVersion, method, url } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ httpVersion, method, url, bytes }));
  });
};

/** Answers every gRPC call with the message it was sent and status 0. */
export const grpcEcho: Fronts['grpc'] = stream => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.pipe(stream);
};

/** A listener for one test, closed after it. */
export async function startListener(
  t: TestContext,
  options: Partial<ListenerOptions> = {},
  fronts: Partial<Fronts> = {},
): Promise<{ listener: Listener; port: number }> {
  const listener = await createListener(
    { ...roomyOptions, ...options },
    { http: echo, grpc: grpcEcho, ...fronts },
  );
  await listener.listen();
  t.after(() => listener.close());
  return { listener, port: portOf(listener.addresses()[0]) };
}

export function portOf(address: AddressInfo | undefined): number {
  if (!address) throw new Error('the listener is not open');
  return address.port;
}

/** A raw connection, ended after the test. */
export function openSocket(t: TestContext, port: number, allowHalfOpen = false): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen }, () => resolve(socket));
    socket.on('error', reject);
    t.after(() => socket.destroy());
  });
}

/** Everything that arrives until the other side closes. A reset counts as a close. */
export function readToEnd(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk;
    });
    socket.on('close', () => resolve(text)).on('error', () => {});
  });
}
