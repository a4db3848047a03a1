import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type Registry, readSelection } from '../clusters/index.ts';
import type { FinishedRequest } from '../http/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import { isLive, type ReleaseService } from '../releases/index.ts';
import { type CallBounds, type CallHandler, untilStopped } from './call.ts';
import { clusterHandlers, clusterLabel, type MessageTap, tillerService } from './cluster-calls.ts';
import { type Health, healthHandlers, healthService } from './health.ts';
import { reflectionHandlers, reflectionServices } from './reflection.ts';
import { ServerCall } from './server-call.ts';

/*
 * Why the server side is our own and per stream, where the client is grpc-js: grpc-js's `Server` takes whole connections
 * only (`createConnectionInjector` too). This port mixes gRPC and JSON on one connection, and a proxy's pooled connection
 * would go to one side with all its streams. It would also copy each message through its serialisers, where here bytes
 * are passed on.
 */

/**
 * What is known of a call when it is over. The path is shortened; bytes are those of messages that were sent; the error
 * of a call that was passed through is Tiller's text.
 */
export type FinishedCall = Omit<FinishedRequest, 'verb' | 'status'>;

export interface GrpcOptions extends CallBounds {
  readonly service: ReleaseService;
  readonly clusters: Registry;
  readonly health: Health;
  /** Fires when the gateway begins to stop: calls that would last for ever end then. */
  readonly stopping: AbortSignal;
  /** Throws the GatewayError of a call that is to be refused: for those that come from web pages. */
  readonly admit?: ((request: { headers: IncomingHttpHeaders; socket: unknown }) => void) | undefined;
  /** Shown the messages of calls to Tiller's own service. */
  readonly tap?: MessageTap | undefined;
  readonly events: {
    readonly started?: () => void;
    readonly finished?: (call: FinishedCall) => void;
  };
}

const maxPathChars = 300;

/** The gRPC front: answers single HTTP/2 streams. It throws nothing into the callback that hands them over. */
export function createGrpcFront(
  options: GrpcOptions,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void> {
  const names = [...options.service.names, tillerService.name, healthService];
  const handlers = [
    ...healthHandlers(options.health, names),
    ...reflectionHandlers([...names, ...reflectionServices]),
  ] as const;
  const own = new Map<string, CallHandler<ServerCall>>(untilStopped(handlers, options.stopping));
  const live = options.service.methods.filter(({ contract }) => isLive(contract));
  const livePaths = new Set(live.map(({ contract }) => contract.path));
  const ofCluster = clusterHandlers(options.service, options.tap);
  return (stream, headers) => {
    stream.on('error', () => {}); // a reset by the client: its end is what counts
    const startedAt = performance.now();
    options.events.started?.();
    const call = new ServerCall(stream, headers, options);
    const { path, requestId } = call;
    const answerer = ofCluster.get(path);
    let cluster: string | undefined;
    const handler: CallHandler<ServerCall> | undefined = answerer
      ? async call => {
          cluster = clusterLabel(headers, options.clusters);
          const picked = options.clusters.pick(readSelection(headers));
          return picked.withBackend(call.signal, backend => answerer(backend)(call), livePaths.has(path));
        }
      : own.get(path);
    const admit = () => options.admit?.({ headers, socket: stream.session?.socket });
    return answer(call, handler, admit).then(({ code, error }) => {
      options.events.finished?.({
        requestId,
        path: path.slice(0, maxPathChars),
        route: handler ? path : '',
        code,
        durationMs: performance.now() - startedAt,
        bytes: call.sentBytes,
        error: error ?? (code === Code.OK ? undefined : call.statusMessage),
        cluster,
        reads: call.reads,
      });
    });
  };
}

/** Runs the handler and ends the call with its status. Never rejects. */
async function answer(
  call: ServerCall,
  handler: CallHandler<ServerCall> | undefined,
  admit: () => void,
): Promise<{ code: Code; error?: unknown }> {
  try {
    admit();
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
