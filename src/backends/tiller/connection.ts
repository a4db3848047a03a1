import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { decodeMessage } from '../../codec/index.ts';
import type { Connector } from '../../kubernetes/connector.ts';
import { GatewayError, unavailable } from '../../protocol/index.ts';
import { Call } from './call.ts';
import { callHeaders, tillerPath } from './call-headers.ts';
import { startTls, type TillerTls } from './tls.ts';

/** Room for answers to come in before they are acknowledged: much more than HTTP/2's 64 KiB, which halves throughput. */
const streamWindowBytes = 4 * 1024 * 1024;
const connectionWindowBytes = 32 * 1024 * 1024;

/**
 * Room for one header, told to Tiller. Its errors come as headers, and one over 64 KiB nghttp2 takes for an attack that
 * ends the connection and all its calls; grpc-go, told this, gives up that one call instead.
 */
const maxHeaderListSize = 64 * 1024 - 1;

/** Node refuses new streams when a session holds more than this many megabytes; Tiller's messages go up to 20 MiB. */
const maxSessionMemory = 1024;

export interface ConnectionOptions {
  readonly connector: Connector;
  readonly tls: TillerTls | undefined;
  /** Pause between pings. Tiller takes pings faster than every 20 s for an attack, so no less than 30,000. */
  readonly keepaliveMs: number;
  /** How long an answer to a ping may take. */
  readonly keepaliveTimeoutMs: number;
  readonly maxMessageBytes: number;
}

/** An open HTTP/2 connection to a Tiller whose version is known. */
export interface Connection {
  /** What Tiller calls itself, such as `v2.17.0`; calls say that they speak the same. */
  readonly version: string;
  readonly target: string;
  /** False once it is closed or Tiller said it will close it: new calls need another. */
  readonly usable: boolean;
  /** Opens a stream. @throws when the connection is closed */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream;
  /** Runs once when the connection can take no more calls. */
  onUnusable(listener: (reason: string) => void): void;
  /** Lets calls under way finish, then closes. */
  close(): void;
  /** Closes at once; calls under way fail. */
  destroy(): void;
}

/**
 * Connects, puts TLS on it where asked for, waits for Tiller's first HTTP/2 frame, and asks its version.
 * @throws GatewayError naming the step that failed
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const { stream, authority, target } = await options.connector.connect(signal);
  // Whatever goes wrong with it shows as the session's end; without a listener it would end the process too.
  stream.on('error', () => {});
  let transport: Duplex = stream;
  try {
    if (options.tls) transport = await startTls(stream, hostOf(authority), options.tls, signal);
    const session = await startHttp2(transport, authority, target, signal);
    try {
      const version = await askVersion(session, target, options.maxMessageBytes, signal);
      return keep(session, version, target, options);
    } catch (error) {
      session.destroy();
      throw error;
    }
  } catch (error) {
    transport.destroy();
    stream.destroy();
    throw error;
  }
}

function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

function startHttp2(
  transport: Duplex,
  authority: string,
  target: string,
  signal: AbortSignal,
): Promise<ClientHttp2Session> {
  const session = connect(`http://${authority}`, {
    createConnection: () => transport,
    maxSessionMemory,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxHeaderListSize },
  });
  session.on('error', () => {}); // seen as its end, by `closed` here and by `keep` later
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      session.destroy();
      const reason = cause instanceof Error ? cause.message : String(cause);
      reject(
        cause instanceof GatewayError
          ? cause
          : unavailable(`the HTTP/2 handshake with ${target} failed: ${reason}`, { cause }),
      );
    };
    const abort = () => fail(signal.reason);
    if (signal.aborted) return abort();
    const closed = () => fail(new Error('the connection was closed'));
    signal.addEventListener('abort', abort, { once: true });
    session.once('error', fail).once('close', closed);
    session.once('remoteSettings', () => {
      signal.removeEventListener('abort', abort);
      session.off('error', fail).off('close', closed);
      session.setLocalWindowSize(connectionWindowBytes);
      resolve(session);
    });
  });
}

/** GetVersion is the one call that Tiller answers to clients of every version. */
async function askVersion(
  session: ClientHttp2Session,
  target: string,
  maxMessageBytes: number,
  signal: AbortSignal,
): Promise<string> {
  try {
    const stream = session.request(callHeaders(tillerPath('GetVersion'), undefined, undefined));
    const reply = await new Call(stream, Buffer.alloc(0), {
      signal,
      timeoutMs: 60_000,
      maxMessageBytes,
    }).unary();
    return decodeMessage('hapi.services.tiller.GetVersionResponse', reply).Version?.sem_ver ?? '';
  } catch (cause) {
    const { code, message } = GatewayError.from(cause);
    throw new GatewayError(code, `asking the version of ${target} failed: ${message}`, { cause });
  }
}

function keep(
  session: ClientHttp2Session,
  version: string,
  target: string,
  options: ConnectionOptions,
): Connection {
  let usable = true;
  const listeners: ((reason: string) => void)[] = [];
  const giveUp = (reason: string) => {
    if (!usable) return;
    usable = false;
    clearInterval(keepalive);
    for (const listener of listeners) listener(reason);
  };
  const keepalive = setInterval(() => ping(session, options.keepaliveTimeoutMs), options.keepaliveMs);
  session.on('error', error => giveUp(error.message));
  session.on('close', () => giveUp('the connection was closed'));
  session.on('goaway', code => {
    giveUp(`Tiller is closing the connection (GOAWAY ${code})`);
    session.close();
  });
  return {
    version,
    target,
    get usable() {
      // over a tunnel the session is destroyed some ticks before it says so, and a call may be tried again meanwhile
      return usable && !session.closed && !session.destroyed;
    },
    request: headers => session.request(headers),
    onUnusable: listener => listeners.push(listener),
    close: () => {
      giveUp('closed');
      session.close();
    },
    destroy: () => {
      giveUp('closed');
      session.destroy();
    },
  };
}

/** A ping that is not answered in time means that nobody is there: the connection is destroyed. */
function ping(session: ClientHttp2Session, timeoutMs: number): void {
  if (session.closed || session.destroyed) return;
  const timer = setTimeout(
    () => session.destroy(new Error('Tiller did not answer a keepalive ping')),
    timeoutMs,
  );
  const answered = () => clearTimeout(timer);
  if (!session.ping(answered)) answered();
}
