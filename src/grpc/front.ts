import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { service } from '../codec/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import type { TillerClient } from '../tiller/index.ts';
import { type Elsewhere, elsewhereHandler } from './elsewhere.ts';
import type { CallHandler } from './handler.ts';
import { type Health, healthHandlers } from './health.ts';
import { nativeHandlers } from './native.ts';
import { passThroughHandler } from './pass-through.ts';
import { reflectionHandlers } from './reflection.ts';
import { requestIdOf, ServerCall } from './server-call.ts';

/** What is known of a call when it is over. */
export interface FinishedCall {
  /** The caller's `x-request-id`, if it sent one. */
  readonly requestId: string | undefined;
  /** The path of a known method; empty for any other, so that labels stay few. */
  readonly route: string;
  readonly code: Code;
  readonly durationMs: number;
  readonly error: unknown;
  /** Which of several clusters answered. */
  readonly cluster: string | undefined;
}

export interface GrpcEvents {
  readonly started?: () => void;
  readonly finished?: (call: FinishedCall) => void;
}

export interface GrpcOptions {
  readonly service: ReleaseService;
  readonly tiller: TillerClient;
  readonly health: Health;
  /** Largest message taken from a client. */
  readonly maxMessageBytes: number;
  readonly events: GrpcEvents;
  /** Asked for every call of the release services whether another cluster answers it. */
  readonly elsewhere?: ((headers: IncomingHttpHeaders) => Elsewhere | undefined) | undefined;
}

/** What belongs to a cluster, as opposed to the gateway's own health and reflection. */
const releasePaths = /^\/[^/]*\.ReleaseService\//;

/**
 * The gRPC front: takes single HTTP/2 streams, so that gRPC and JSON mix on one connection. grpc-js's `Server` takes
 * whole connections only (`createConnectionInjector` too), which would send every stream of a proxy's pooled connection
 * to one side; and it would copy each message through its serialisers, where here bytes are passed on.
 */
export function createGrpcFront(
  options: GrpcOptions,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void {
  const tillerService = service('hapi.services.tiller.ReleaseService');
  const names = [options.service.name, tillerService.name, 'grpc.health.v1.Health'];
  const passThrough = passThroughHandler(options.tiller);
  const handlers = new Map<string, CallHandler>([
    ...nativeHandlers(options.service),
    ...tillerService.methods.map(method => [`/${tillerService.name}/${method.name}`, passThrough] as const),
    ...healthHandlers(options.health, names),
    ...reflectionHandlers([
      ...names,
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]),
  ]);
  return (stream, headers) => {
    stream.on('error', () => {}); // a reset by the client: its end is what counts
    const startedAt = performance.now();
    options.events.started?.();
    const path = headers[':path'] ?? '';
    const elsewhere = releasePaths.test(path) ? options.elsewhere?.(headers) : undefined;
    const known = handlers.get(path);
    const handler = known && elsewhere ? elsewhereHandler(elsewhere) : known;
    void answer(stream, headers, handler, options.maxMessageBytes).then(({ code, error }) => {
      options.events.finished?.({
        requestId: requestIdOf(headers),
        route: handler ? path : '',
        code,
        durationMs: performance.now() - startedAt,
        error,
        cluster: elsewhere?.cluster,
      });
    });
  };
}

/** Runs the handler and ends the call with its status. Never rejects. */
async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  handler: CallHandler | undefined,
  maxMessageBytes: number,
): Promise<{ code: Code; error?: unknown }> {
  let call: ServerCall | undefined;
  try {
    call = new ServerCall(stream, headers, maxMessageBytes);
    if (!handler) throw new GatewayError(Code.UNIMPLEMENTED, `unknown method ${call.path.slice(0, 200)}`);
    const code = await handler(call);
    call.finish(code);
    return { code };
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    (call ?? refusedCall(stream, maxMessageBytes)).finish(error.code, error.message);
    return { code: error.code, error: thrown };
  }
}

/** A call that could not even be read (its `grpc-timeout` is malformed) is still ended like any other. */
function refusedCall(stream: ServerHttp2Stream, maxMessageBytes: number): ServerCall {
  return new ServerCall(stream, {}, maxMessageBytes);
}
