/**
 * A Tiller that does what a test tells it to: a real gRPC server on loopback whose replies are scripted, which can
 * answer late or never, be killed and come back on its port, and which remembers what it was asked.
 */
import { once } from 'node:events';
import http2, { type Http2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { encodeMessage, type Method, service } from '../../src/codec/schema.ts';
import { enforcePingPolicy } from '../../src/sandbox/tiller/ping-policy.ts';

/** Tiller's own bound on a message. */
const maxMessageBytes = 20 * 1024 * 1024;

/** What Tiller 2.17.0 answers to GetVersion. */
export const tillerVersion: Buffer = encodeMessage('hapi.services.tiller.GetVersionResponse', {
  Version: {
    sem_ver: 'v2.17.0',
    git_commit: 'a690bad98af45b015bd3da1a41f6218b1a451dbe',
    git_tree_state: 'clean',
  },
});

/** One answer. Nothing given = no message and status OK, as Tiller's empty list. */
export interface StubReply {
  /** Encoded messages. Taken one by one, so that a generator can stand for more than memory holds. */
  responses?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** 0 (OK) unless given. */
  status?: number;
  message?: string;
  /** How long to wait before the first answer. */
  delayMs?: number;
  /** How long to wait before each further message. */
  betweenMs?: number;
  /** `before`: never answer. `after`: send the messages, then never end the call. */
  hang?: 'before' | 'after';
  headers?: Record<string, string>;
  trailers?: Record<string, string>;
}

/** A call as it arrived, and what became of it. */
export interface StubCall {
  /** `GetVersion` */
  readonly method: string;
  /** The whole path. */
  readonly path: string;
  readonly request: Buffer;
  readonly metadata: grpc.Metadata;
  readonly deadline: grpc.Deadline;
  outcome: 'open' | 'ended' | 'cancelled';
  /** Fulfilled when the call has ended or was cancelled. */
  readonly done: Promise<void>;
}

export type StubHandler = StubReply | ((call: StubCall) => StubReply | Promise<StubReply>);

export interface StubOptions {
  /** Replies by method name (`ListReleases`); `*` for the others. GetVersion answers as 2.17.0 unless it is given. */
  replies?: Record<string, StubHandler>;
  /** 0 = chosen by the system. */
  port?: number;
  /** PEM files' contents. With `clientCa` a client certificate is demanded. */
  tls?: { key: Buffer; cert: Buffer; clientCa?: Buffer };
  /** `false` for benchmarks: calls are counted only. */
  record?: boolean;
  channelOptions?: grpc.ServerOptions;
  /** `false` takes pings as fast as they come, for tests of keepalive that cannot wait 20 s between two. */
  pingPolicy?: false;
}

/** How many calls are remembered; older ones are forgotten. */
const maxRecordedCalls = 20_000;

export class StubTiller implements AsyncDisposable {
  /** `127.0.0.1:port`, the same after a restart. */
  readonly address: string;
  readonly port: number;
  /** The calls so far, oldest first. */
  readonly calls: StubCall[] = [];
  callCount = 0;
  connectionCount = 0;
  pingCount = 0;
  /** HTTP/2 streams that neither side has ended; grpc-js tells a handler nothing of a cancel that came before it. */
  readonly openStreams = new Set<object>();
  /** Open connections. */
  readonly sockets = new Set<Socket>();
  readonly #options: StubOptions;
  readonly #replies: Map<string, StubHandler>;
  #listener: NetServer;
  #grpcServer: grpc.Server;
  readonly #waiting = new Set<() => void>();

  private constructor(options: StubOptions, listener: NetServer) {
    this.#options = options;
    this.#replies = new Map(Object.entries(options.replies ?? {}));
    this.#listener = listener;
    this.#grpcServer = this.#serve(listener);
    this.port = (listener.address() as AddressInfo).port;
    this.address = `127.0.0.1:${this.port}`;
  }

  static async start(options: StubOptions = {}): Promise<StubTiller> {
    return new StubTiller(options, await listen(options.port ?? 0));
  }

  /** Sets the reply of a method (`*` = of all without one) from the next call on. */
  answer(method: string, reply: StubHandler): void {
    this.#replies.set(method, reply);
  }

  /** The calls of one method so far. */
  callsOf(method: string): StubCall[] {
    return this.calls.filter(call => call.method === method);
  }

  /** Waits until that many calls of the method have arrived, and gives the last of them. */
  async arrival(method: string, count = 1): Promise<StubCall> {
    for (;;) {
      const call = this.callsOf(method)[count - 1];
      if (call) return call;
      await new Promise<void>(resolve => this.#waiting.add(resolve));
    }
  }

  /** As `kill -9`: every connection is reset and the port closed. Calls in progress end without a status. */
  async kill(): Promise<void> {
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    this.dropConnections();
    this.#grpcServer.forceShutdown();
    await closed;
  }

  /** Comes back on the same port after `kill`. */
  async restart(): Promise<void> {
    this.#listener = await listen(this.port);
    this.#grpcServer = this.#serve(this.#listener);
  }

  /** Resets every connection but goes on listening. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    if (this.#listener.listening) await this.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #serve(listener: NetServer): grpc.Server {
    const server = new grpc.Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': -1,
      ...this.#options.channelOptions,
    });
    const methods = service('hapi.services.tiller.ReleaseService').methods;
    server.addService(
      Object.fromEntries(methods.map(method => [method.name, methodDefinition(method)])),
      Object.fromEntries(methods.map(method => [method.name, this.#handler(method)])),
    );
    const injector = watchSessions(
      () => server.createConnectionInjector(this.#credentials()),
      session => this.#watch(session),
    );
    listener.on('connection', (socket: Socket) => {
      this.connectionCount++;
      this.sockets.add(socket);
      socket.on('error', () => {}); // a reset by the client is part of many tests
      socket.on('close', () => this.sockets.delete(socket));
      socket.setNoDelay(true);
      injector.injectConnection(socket);
    });
    return server;
  }

  #watch(session: ServerHttp2Session): void {
    if (this.#options.pingPolicy !== false) enforcePingPolicy(session);
    session.on('ping', () => this.pingCount++);
    session.on('stream', stream => {
      this.openStreams.add(stream);
      stream.once('close', () => this.openStreams.delete(stream));
    });
  }

  #credentials(): grpc.ServerCredentials {
    const { tls } = this.#options;
    if (!tls) return grpc.ServerCredentials.createInsecure();
    return grpc.ServerCredentials.createSsl(
      tls.clientCa ?? null,
      [{ private_key: tls.key, cert_chain: tls.cert }],
      tls.clientCa !== undefined,
    );
  }

  #handler(method: Method): grpc.UntypedHandleCall {
    if (method.serverStreaming) {
      return (stream: grpc.ServerWritableStream<Buffer, Uint8Array>) =>
        void this.#stream(method.name, stream);
    }
    return (unary: grpc.ServerUnaryCall<Buffer, Uint8Array>, callback: grpc.sendUnaryData<Uint8Array>) =>
      void this.#unary(method.name, unary, callback);
  }

  async #unary(
    name: string,
    unary: grpc.ServerUnaryCall<Buffer, Uint8Array>,
    callback: grpc.sendUnaryData<Uint8Array>,
  ): Promise<void> {
    const call = this.#arrived(name, unary);
    const reply = await this.#reply(call);
    if (reply.hang) return;
    if (reply.headers) unary.sendMetadata(toMetadata(reply.headers));
    const trailers = toMetadata(reply.trailers ?? {});
    if (reply.status) {
      callback({ code: reply.status, details: reply.message ?? '', metadata: trailers });
    } else {
      let first: Uint8Array = Buffer.alloc(0);
      for await (const response of reply.responses ?? []) {
        first = response;
        break;
      }
      callback(null, first, trailers);
    }
    this.#finished(call, 'ended');
  }

  async #stream(name: string, stream: grpc.ServerWritableStream<Buffer, Uint8Array>): Promise<void> {
    const call = this.#arrived(name, stream);
    const reply = await this.#reply(call);
    if (reply.hang === 'before') return;
    if (reply.headers) stream.sendMetadata(toMetadata(reply.headers));
    let sent = 0;
    for await (const response of reply.responses ?? []) {
      if (sent++ > 0 && reply.betweenMs) await sleep(reply.betweenMs);
      if (stream.cancelled) return;
      if (!stream.write(response)) await Promise.race([once(stream, 'drain'), call.done]);
    }
    if (reply.hang || stream.cancelled) return;
    const trailers = toMetadata(reply.trailers ?? {});
    if (reply.status) {
      stream.emit('error', { code: reply.status, details: reply.message ?? '', metadata: trailers });
    } else {
      stream.end(trailers);
    }
    this.#finished(call, 'ended');
  }

  async #reply(call: StubCall): Promise<StubReply> {
    const handler = this.#replies.get(call.method) ?? this.#defaultReply(call.method);
    const reply = typeof handler === 'function' ? await handler(call) : handler;
    if (!reply)
      return { status: grpc.status.UNIMPLEMENTED, message: `the stub has no reply to ${call.method}` };
    if (reply.delayMs) await Promise.race([sleep(reply.delayMs), call.done]);
    return reply;
  }

  #defaultReply(method: string): StubHandler | undefined {
    return method === 'GetVersion' ? { responses: [tillerVersion] } : this.#replies.get('*');
  }

  #arrived(
    method: string,
    surface: grpc.ServerUnaryCall<Buffer, Uint8Array> | grpc.ServerWritableStream<Buffer, Uint8Array>,
  ): StubCall {
    const { promise, resolve } = Promise.withResolvers<void>();
    const call: StubCall = {
      method,
      path: surface.getPath(),
      request: surface.request,
      metadata: surface.metadata,
      deadline: surface.getDeadline(),
      outcome: 'open',
      done: promise,
    };
    finishers.set(call, resolve);
    surface.on('cancelled', () => this.#finished(call, 'cancelled'));
    if (surface.cancelled) this.#finished(call, 'cancelled'); // before the handler was called: no event comes
    this.callCount++;
    if (this.#options.record !== false) {
      this.calls.push(call);
      if (this.calls.length > maxRecordedCalls) this.calls.shift();
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    }
    return call;
  }

  #finished(call: StubCall, outcome: 'ended' | 'cancelled'): void {
    if (call.outcome !== 'open') return;
    call.outcome = outcome;
    finishers.get(call)?.();
  }
}

const finishers = new WeakMap<StubCall, () => void>();

/** Starts a stub on 127.0.0.1. The caller stops it (`await using` does). */
export function startStubTiller(options: StubOptions = {}): Promise<StubTiller> {
  return StubTiller.start(options);
}

/** Shows the sessions of the HTTP/2 servers that grpc-js makes in `create`. */
function watchSessions<T>(create: () => T, watch: (session: ServerHttp2Session) => void): T {
  const { createServer, createSecureServer } = http2;
  const watched = <Made extends Http2Server>(server: Made): Made => {
    server.on('session', watch);
    return server;
  };
  const module = http2 as unknown as Record<string, unknown>;
  module.createServer = (...given: Parameters<typeof createServer>) => watched(createServer(...given));
  module.createSecureServer = (...given: Parameters<typeof createSecureServer>) =>
    watched(createSecureServer(...given));
  try {
    return create();
  } finally {
    Object.assign(module, { createServer, createSecureServer });
  }
}

function methodDefinition(method: Method): grpc.MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/hapi.services.tiller.ReleaseService/${method.name}`,
    requestStream: false,
    responseStream: method.serverStreaming,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function toMetadata(entries: Record<string, string>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}

async function listen(port: number): Promise<NetServer> {
  const listener = createServer();
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
