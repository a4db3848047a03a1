import { STATUS_CODES } from 'node:http';
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { Code, isGrpcContentType, keepSession } from '../protocol/index.ts';
import type { Activity } from './connections.ts';
import { contain } from './guard-fronts.ts';
import type { Fronts, ListenerOptions } from './options.ts';

/** A body of megabytes should not wait for a window update every 64 KiB, HTTP/2's default. */
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 4 * 1024 * 1024;
/** A header over the limit is read up to here, so that it can be answered; past it Node resets the stream. */
const readableHeaderBytes = 64 * 1024 - 1;
const defaultPingTimeoutMs = 20_000;
/**
 * Pause between pings to a client whose calls are in progress. Over TLS nothing else shows that it has gone: once a
 * write to it has failed, Node stops reading and never reports the end of the next write
 * (https://github.com/nodejs/node/issues/55804), so that its calls would go on for good.
 */
const defaultPingEveryMs = 15_000;
const closeTimeoutMs = 1000;
/** "I know no stream number yet that I will not answer", https://www.rfc-editor.org/rfc/rfc9113#section-6.8 */
const lastPossibleStream = 2 ** 31 - 1;

/**
 * HTTP/2 with routing per stream, by its content type: gRPC and JSON mix on one connection, since proxies pool
 * connections. Why grpc-js's server cannot take the gRPC streams: src/grpc/front.ts.
 */
export function createHttp2(options: ListenerOptions, fronts: Pick<Fronts, 'http' | 'grpc'>) {
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;
  const handshake = {
    settings: {
      maxConcurrentStreams: options.maxStreams,
      initialWindowSize: streamWindowBytes,
      maxHeaderListSize: Math.max(options.maxHeaderBytes, readableHeaderBytes),
    },
    // megabytes that nghttp2 and Node may hold for one connection; past it further streams are refused
    maxSessionMemory: 64,
    maxSessionInvalidFrames: 100,
    // with these Node answers floods of resets ("rapid reset", CVE-2023-44487), pings and settings by GOAWAY
    streamResetBurst: 1000,
    streamResetRate: 33,
    maxOutstandingPings: 10,
    maxSettings: 32,
  };

  const serve = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    raw: string[],
    add: (stream: ServerHttp2Stream) => void,
  ) => {
    if (stream.closed) return; // cancelled by its client already: an answer would throw
    add(stream);
    stream.setTimeout(options.idleTimeoutMs, () => endIfStuck(stream));
    if (headerBytes(raw) > options.maxHeaderBytes) refuseHeader(stream);
    else if (isGrpcContentType(headers['content-type'])) fronts.grpc(stream, headers);
    else serveHttp(stream, headers, raw, options.requestTimeoutMs, fronts);
  };

  const accept = (socket: Duplex, activity: Activity) => {
    const session = performServerHandshake(socket, handshake);
    keepSession(session);
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    const { open, add } = watchSession(session, socket, activity, options);
    session.setLocalWindowSize(connectionWindowBytes);
    // an HTTP/2 client that closes its side reads no more: its calls are cancelled
    socket.once('end', () => (open.size === 0 ? closeSoon(session, socket) : destroyBoth(session, socket)));
    session.on('stream', (stream, headers, _flags, rawHeaders) => {
      // a stream's error ends that stream alone; its front sees the close
      stream.on('error', () => {});
      contain(options.log, stream, () => serve(stream, headers, rawHeaders as unknown as string[], add));
    });
    if (draining) letGo(session, options);
  };

  return {
    accept: (socket: Duplex, activity: Activity) =>
      contain(options.log, socket, () => accept(socket, activity)),
    count: () => sessions.size,
    /** Closes every connection, also later ones, when its last stream has ended. */
    drain(): void {
      draining = true;
      for (const session of sessions) letGo(session, options);
    },
  };
}

/**
 * The size as SETTINGS_MAX_HEADER_LIST_SIZE counts it.
 * Rule: https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2
 */
function headerBytes(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((sum, text) => sum + text.length + 16, 0);
}

function refuseHeader(stream: ServerHttp2Stream): void {
  const text = STATUS_CODES[431] ?? '';
  stream.respond({ ':status': 431, 'content-type': 'application/json' });
  stream.end(JSON.stringify({ code: Code.UNKNOWN, message: text, reason: 'LIMIT_EXCEEDED' }));
  stream.resume(); // a body is dropped
}

/**
 * Closes a session that is idle, or whose peer is gone. With a timer of its own: the session's own one, in Node 24, is
 * not cleared when the session is destroyed, and keeps it in memory for the rest of the idle time.
 */
function watchSession(
  session: ServerHttp2Session,
  socket: Duplex,
  activity: Activity,
  options: ListenerOptions,
) {
  const { idleTimeoutMs, log } = options;
  const { pingEveryMs = defaultPingEveryMs, pingTimeoutMs = defaultPingTimeoutMs } = options;
  const open = new Set<ServerHttp2Stream>();
  const close = () => {
    if (open.size === 0) closeSoon(session, socket);
  };
  const ask = () => {
    // calls may take hours without a frame; a ping tells a lost peer from a waiting one
    if (open.size > 0 && !session.destroyed) session.ping(destroyAfter(session, socket, pingTimeoutMs));
  };
  const idle = setTimeout(() => contain(log, session, close), idleTimeoutMs).unref();
  const pings = setInterval(() => contain(log, session, ask), pingEveryMs).unref();
  session.on('error', error => log('debug', 'HTTP/2 connection failed', { error: error.message }));
  session.once('close', () => {
    clearTimeout(idle);
    clearInterval(pings);
  });
  return {
    open,
    /** Counts a stream as open until it is closed. */
    add(stream: ServerHttp2Stream): void {
      open.add(stream);
      activity.began();
      stream.once('close', () => {
        open.delete(stream);
        activity.ended();
        if (!session.destroyed) idle.refresh(); // which would wake a cleared one
      });
    },
  };
}

/**
 * Asks the client to open no more streams, and later accepts none. A ping in between makes sure that no stream is
 * refused: its answer follows every stream that the client opened before it read the first GOAWAY.
 * Rule: https://www.rfc-editor.org/rfc/rfc9113#section-6.8
 */
function letGo(session: ServerHttp2Session, { log }: Pick<ListenerOptions, 'log'>): void {
  if (session.destroyed) return; // by its client; the event comes later
  contain(log, session, () => {
    session.goaway(constants.NGHTTP2_NO_ERROR, lastPossibleStream);
    const timer = setTimeout(() => session.close(), closeTimeoutMs);
    session.once('close', () => clearTimeout(timer));
    session.ping(() => session.close());
  });
}

/** Closes a session, also in the middle of an incomplete frame, for whose rest Node would wait. */
function closeSoon(session: ServerHttp2Session, socket: Duplex): void {
  session.close();
  destroyAfter(session, socket, closeTimeoutMs);
}

/**
 * A session that is destroyed leaves its socket open until what it has written is out; over TLS to a client that is gone
 * Node never learns of that, and connection and session would stay for good.
 */
function destroyBoth(session: ServerHttp2Session, socket: Duplex): void {
  session.destroy();
  socket.destroy();
}

/** @returns a function that cancels it */
function destroyAfter(session: ServerHttp2Session, socket: Duplex, delayMs: number): () => void {
  const timer = setTimeout(() => destroyBoth(session, socket), delayMs);
  const stop = () => {
    clearTimeout(timer);
    session.off('close', stop); // a session that lives long is asked often
  };
  session.once('close', stop);
  return stop;
}

/** Ends a stream whose peer has read nothing for the whole idle time. A call that waits for Tiller has nothing to read. */
function endIfStuck(stream: ServerHttp2Stream): void {
  if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
}

function serveHttp(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
  requestTimeoutMs: number,
  fronts: Pick<Fronts, 'http'>,
): void {
  if (!stream.endAfterHeaders) boundBody(stream, requestTimeoutMs);
  const request = new Http2ServerRequest(stream, headers, {}, rawHeaders);
  const response = new Http2ServerResponse(stream);
  if (headers[':method'] === 'CONNECT') {
    response.statusCode = 405;
    return void response.end();
  }
  if (headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  fronts.http(request, response);
}

/** HTTP/2's counterpart of `requestTimeout` in node:http: a body that arrives slowly does not hold its stream without end. */
function boundBody(stream: ServerHttp2Stream, requestTimeoutMs: number): void {
  // destroyed, not closed: to a reader a close would look like the body's end
  const timer = setTimeout(() => stream.destroy(new Error('the body took too long')), requestTimeoutMs);
  const stop = () => clearTimeout(timer);
  stream.once('end', stop).once('close', stop);
}
