import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { TillerClient } from '../backends/tiller/index.ts';
import { service } from '../codec/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import { type Elsewhere, elsewhereHandler } from './elsewhere.ts';
import type { CallHandler } from './handler.ts';
import { type Health, healthHandlers } from './health.ts';
import type { MessageTap } from './message-tap.ts';
import { nativeHandlers } from './native.ts';
import { passThroughHandler } from './pass-through.ts';
import { reflectionHandlers } from './reflection.ts';
import { type CallBounds, ServerCall } from './server-call.ts';
import { untilStopped } from './until-stopped.ts';

/** What is known of a call when it is over. */
export interface FinishedCall {
  /** The caller's `x-request-id`, or a new one. */
  readonly requestId: string;
  /** The path as it came, shortened. */
  readonly path: string;
  /** The path of a known method; empty for any other, so that labels stay few. */
  readonly route: string;
  readonly code: Code;
  readonly durationMs: number;
  /** Bytes of messages that were sent. */
  readonly bytes: number;
  /** What went wrong, where something did; of a call that was passed through, Tiller's text. */
  readonly error: unknown;
  /** Which of several clusters answered. */
  readonly cluster: string | undefined;
}

export interface GrpcEvents {
  readonly started?: () => void;
  readonly finished?: (call: FinishedCall) => void;
}

export interface GrpcOptions extends CallBounds {
  readonly service: ReleaseService;
  readonly tiller: TillerClient;
  readonly health: Health;
  /** Fires when the gateway begins to stop: calls that would last for ever end then. */
  readonly stopping: AbortSignal;
  /** Shown the messages of calls to Tiller's own service. */
  readonly tap?: MessageTap | undefined;
  readonly events: GrpcEvents;
  /** Asked for every call of the release services whether another cluster answers it. */
  readonly elsewhere?: ((headers: IncomingHttpHeaders) => Elsewhere | undefined) | undefined;
}

const maxPathChars = 300;

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
  const passThrough = passThroughHandler(options.tiller, options.tap);
  const handlers = new Map<string, CallHandler>([
    ...nativeHandlers(options.service),
    ...tillerService.methods.map(method => [`/${tillerService.name}/${method.name}`, passThrough] as const),
    ...lasting(healthHandlers(options.health, names), options.stopping),
    ...lasting(
      reflectionHandlers([
        ...names,
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
      ]),
      options.stopping,
    ),
  ]);
  return (stream, headers) => {
    stream.on('error', () => {}); // a reset by the client: its end is what counts
    const startedAt = performance.now();
    options.events.started?.();
    const call = new ServerCall(stream, headers, options);
    const { path, requestId } = call;
    const elsewhere = options.elsewhere && releasePaths.test(path) ? options.elsewhere(headers) : undefined;
    const known = handlers.get(path);
    const handler = known && elsewhere ? elsewhereHandler(elsewhere, options.tap) : known;
    void answer(call, handler).then(({ code, error }) => {
      options.events.finished?.({
        requestId,
        path: path.slice(0, maxPathChars),
        route: handler ? path : '',
        code,
        durationMs: performance.now() - startedAt,
        bytes: call.sentBytes,
        error: error ?? (code === Code.OK ? undefined : call.statusMessage),
        cluster: elsewhere?.cluster,
      });
    });
  };
}

function lasting(handlers: [string, CallHandler][], stopping: AbortSignal): [string, CallHandler][] {
  return handlers.map(([path, handler]) => [path, untilStopped(handler, stopping)]);
}

/** Runs the handler and ends the call with its status. Never rejects. */
async function answer(
  call: ServerCall,
  handler: CallHandler | undefined,
): Promise<{ code: Code; error?: unknown }> {
  try {
    if (call.signal.aborted) throw call.signal.reason;
    if (!handler) throw new GatewayError(Code.UNIMPLEMENTED, `unknown method ${call.path.slice(0, 200)}`);
    const code = await handler(call);
    call.finish(code);
    return { code };
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    call.finish(error.code, error.message);
    return { code: error.code, error: thrown };
  }
}
