import { rm } from 'node:fs/promises';
import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { maxMessageBytes } from '../../backends/index.ts';
import { service, WireWriter, wireFields } from '../../codec/index.ts';
import { Code, createSocketFolder, GatewayError, keepSession } from '../../protocol/index.ts';
import { type Handler, handlers } from '../methods/handlers.ts';
import { openTillerState, type TillerState, type TillerStateOptions } from '../state/tiller-state.ts';
import { TillerCrash, toTillerError } from '../work/tiller-error.ts';
import { defaultPoolOptions, WorkerPool, type WorkerPoolOptions } from '../work/worker-pool.ts';
import { ApiLimit } from './api-limit.ts';
import { type Answer, CallFront, type Interceptor, methodDefinition } from './call-front.ts';
import { enforcePingPolicy } from './ping-policy.ts';

export interface SandboxTillerOptions extends TillerStateOptions {
  /** A free port of 127.0.0.1, or a Unix socket in a folder that only this user can enter. Default: `loopback`. */
  readonly listen?: 'loopback' | 'unix';
  /** For tests of faults; see `Interceptor`. */
  readonly intercept?: Interceptor;
  /** Requests to the API server that it allows itself a second; a real Tiller 5. Default: no limit. */
  readonly apiRequestsPerSecond?: number;
  /** Bounds of the threads that work on charts. Default: threads that all sandboxes of the process share. */
  readonly threads?: Partial<WorkerPoolOptions>;
}

export interface SandboxTiller {
  /** `127.0.0.1:port` or `unix:/path` */
  readonly address: string;
  /**
   * How often a real Tiller would have crashed, on a negative limit for instance. Each time all connections are cut, as
   * they are when its process ends.
   */
  readonly crashes: number;
  /** Waits for open calls, a second at most. */
  stop(): Promise<void>;
}

/** Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const healthService = 'grpc.health.v1.Health';

/** The names under which Tiller answers. */
const knownServices = new Set(['', 'Tiller']);

const serving = new WireWriter().intField(1, 1).finish();

const tillerService = 'hapi.services.tiller.ReleaseService';
const stopGraceMs = 1_000;

/** Its first thread starts with the first chart. */
const sharedPool = new WorkerPool();

/** Tiller's own settings, as far as grpc-js has them. */
const serverOptions: grpc.ServerOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.max_connection_idle_ms': 600_000,
  'grpc.max_concurrent_streams': 1_000,
};

/**
 * Starts an in-memory Tiller 2.17.0 on a socket of its own, to be spoken to like any Tiller. The caller stops it.
 * @throws Error of the file system or of the socket
 */
export async function startSandboxTiller(options: SandboxTillerOptions = {}): Promise<SandboxTiller> {
  const pool = options.threads ? new WorkerPool({ ...defaultPoolOptions, ...options.threads }) : sharedPool;
  const state = await openTillerState(options, pool.work);
  const sockets = new Set<Socket>();
  let crashes = 0;
  const front = new CallFront({
    intercept: withLimit(options),
    onFailure: error => {
      if (!(error instanceof TillerCrash)) return;
      crashes++;
      options.report?.(`${error.message}; all its connections are cut`);
      for (const socket of sockets) socket.destroy();
    },
  });
  const server = createServer(state, front);
  const place = options.listen === 'unix' ? privateSocket() : { bind: '127.0.0.1:0', close: async () => {} };
  try {
    const port = await bind(server, place.bind);
    for (const http2 of http2ServersOf(server)) {
      http2.on('session', session => {
        keepSession(session);
        enforcePingPolicy(session);
      });
      http2.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
    }
    return {
      address: options.listen === 'unix' ? place.bind : `127.0.0.1:${port}`,
      get crashes() {
        return crashes;
      },
      stop: async () => {
        await shutdown(server);
        await place.close();
        if (pool !== sharedPool) await pool.close();
      },
    };
  } catch (error) {
    await place.close();
    throw error;
  }
}

/** Calls wait for Tiller's limit, where it is switched on, before a test may interfere. */
function withLimit({ intercept, apiRequestsPerSecond }: SandboxTillerOptions): Interceptor | undefined {
  if (apiRequestsPerSecond === undefined) return intercept;
  const limit = new ApiLimit(apiRequestsPerSecond);
  return async call => {
    await limit.admit(call.method, call.signal);
    await intercept?.(call);
  };
}

function createServer(state: TillerState, front: CallFront): grpc.Server {
  const server = new grpc.Server(serverOptions);
  const { methods } = service(tillerService);
  server.addService(
    Object.fromEntries(
      methods.map(({ name, serverStreaming }) => [
        name,
        methodDefinition(tillerService, name, serverStreaming),
      ]),
    ),
    Object.fromEntries(
      methods.map(({ name, serverStreaming }) => {
        const answer = answerBy(state, handlers[name]!);
        return [name, serverStreaming ? front.stream(name, answer) : front.unary(name, answer)];
      }),
    ),
  );
  server.addService(
    { Check: methodDefinition(healthService, 'Check', false) },
    {
      Check: front.unary('Check', async function* (request) {
        yield checkHealth(request);
      }),
    },
  );
  return server;
}

function answerBy(state: TillerState, handler: Handler): Answer {
  return async function* (request) {
    try {
      yield* handler(state, request);
    } catch (error) {
      throw toTillerError(error);
    }
  };
}

/**
 * `Check`: `HealthCheckResponse` in wire format; a sandbox that answers is serving.
 * @throws GatewayError NOT_FOUND for a service it does not know
 */
function checkHealth(request: Buffer): Buffer {
  let name = '';
  for (const field of wireFields(request)) {
    if (field.number === 1) name = request.toString('utf8', field.valueStart, field.end);
  }
  if (!knownServices.has(name)) throw new GatewayError(Code.NOT_FOUND, 'unknown service');
  return serving;
}

function privateSocket(): { bind: string; close: () => Promise<void> } {
  const folder = createSocketFolder();
  return {
    bind: `unix:${join(folder, 'tiller.sock')}`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function bind(server: grpc.Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** grpc-js keeps its HTTP/2 servers to itself, and has no policy for pings. Fails where a version names them otherwise. */
function http2ServersOf(server: grpc.Server): Iterable<Http2Server> {
  return (server as unknown as { http2Servers: Map<Http2Server, unknown> }).http2Servers.keys();
}

function shutdown(server: grpc.Server): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(() => server.forceShutdown(), stopGraceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
