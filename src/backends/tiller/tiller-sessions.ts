import http2, {
  type ClientHttp2Session,
  type ClientSessionOptions,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';
import { keepSession } from '../../protocol/index.ts';

/**
 * What grpc-js cannot be told about its HTTP/2 sessions. Node drops a header whose value begins or ends with white space
 * unless `strictFieldWhitespaceValidation` is false, and Tiller sends such values: its error texts travel raw in
 * `grpc-message`, so one that ends in a space would be lost with its whole text.
 * https://github.com/nodejs/node/issues/56703 https://github.com/connectrpc/connect-es/issues/1404
 *
 * grpc-js calls `connect` of the CommonJS module `http2`, and hands `grpc-node.max_session_memory` on to it unchanged.
 * So each channel gets a number of its own there, and only sessions with such a number are touched here. The number is
 * also the bound itself, in megabytes, and far above anything that a session holds: Node refuses streams at the bound,
 * and our own bounds are on messages.
 */
const firstMark = 2_000_000;

/**
 * Room for the headers of one answer, told to Tiller. One over 64 KiB nghttp2 takes for an attack that ends the
 * connection and all its calls; grpc-go, told this, gives up that one call instead.
 */
const maxHeaderListSize = 64 * 1024 - 1;

/** Room for answers on one connection: several times a stream's, so that one slow reader does not stop the others. */
const connectionWindowBytes = 32 * 1024 * 1024;

/** TCP's own keepalive notices a dead connection while no call is open, when Tiller takes HTTP/2 pings for an attack. */
const tcpKeepaliveMs = 30_000;

type OnSession = (session: ClientHttp2Session) => void;
type Connect = (
  authority: string | URL,
  options?: ClientSessionOptions,
  listener?: () => void,
) => ClientHttp2Session;

const listeners = new Map<number, OnSession>();
let lastMark = firstMark;

export interface SessionClaim {
  /** The value for the channel option `grpc-node.max_session_memory`. */
  readonly mark: number;
  release(): void;
}

/**
 * Has the sessions of one grpc-js channel opened as Tiller needs them.
 * @param onSession runs for each, when the HTTP/2 handshake begins
 */
export function claimSessions(onSession: OnSession): SessionClaim {
  if (lastMark === firstMark) wrapConnect();
  const mark = ++lastMark;
  listeners.set(mark, onSession);
  return { mark, release: () => listeners.delete(mark) };
}

/** Says which call a stream of HTTP/2 is for. It is taken off before the request is sent. */
const callHeader = 'tiller-gateway-call';

type OnBytes = (bytes: number) => void;

const calls = new Map<string, OnBytes>();
let lastCall = 0;

/**
 * Tells of a call's bytes as they arrive, where grpc-js tells of whole messages, each of which may be 20 MiB.
 * @param metadata of the call
 * @param onBytes must not throw
 * @returns the metadata to call with, and what ends the watching
 */
export function watchBytes(metadata: Metadata, onBytes: OnBytes): { metadata: Metadata; release(): void } {
  const call = String(++lastCall);
  calls.set(call, onBytes);
  const marked = metadata.clone(); // other calls share it
  marked.set(callHeader, call);
  return { metadata: marked, release: () => calls.delete(call) };
}

function watchStreams(session: ClientHttp2Session): void {
  const request = session.request.bind(session);
  session.request = (given, options) => {
    const { [callHeader]: call, ...headers } = given as OutgoingHttpHeaders;
    const stream = request(headers, options);
    // before grpc-js reads a part; one call may have two streams, one after the other
    stream.on('data', (part: Buffer) => calls.get(String(call))?.(part.length));
    return stream;
  };
}

function wrapConnect(): void {
  const module = http2 as unknown as { connect: Connect };
  const { connect } = module;
  module.connect = (authority, options, listener) => {
    const onSession = listeners.get(options?.maxSessionMemory ?? 0);
    if (!onSession) return connect(authority, options, listener);
    const session = connect(authority, adapted(options ?? {}), listener);
    keepSession(session);
    watchStreams(session);
    session.once('remoteSettings', () => {
      // grpc-js sizes the connection like a stream in the same event
      process.nextTick(() => {
        if (session.destroyed || session.closed) return;
        try {
          session.setLocalWindowSize(connectionWindowBytes);
        } catch {
          session.destroy(); // its peer has broken the protocol in this very moment
        }
      });
    });
    onSession(session);
    return session;
  };
}

function adapted(options: ClientSessionOptions): ClientSessionOptions {
  const { createConnection } = options;
  return {
    ...options,
    strictFieldWhitespaceValidation: false,
    settings: { ...options.settings, enablePush: false, maxHeaderListSize },
    ...(createConnection && {
      createConnection: (authority, given) => {
        const socket = createConnection(authority, given);
        if ('setKeepAlive' in socket)
          (socket as import('node:net').Socket).setKeepAlive(true, tcpKeepaliveMs);
        return socket;
      },
    }),
  };
}
