import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { ClientOptions, RawData, WebSocket } from 'ws';
import { type GatewayError, readBounded, reasonOf, stepFailed, unavailable } from '../protocol/index.ts';
import {
  ApiRefused,
  type ClusterAccess,
  type RequestSettings,
  type ServerTls,
  withFreshCredentials,
} from './api.ts';
import { hostPort, type TillerStream } from './endpoint.ts';

/** The subprotocol: first byte of each message = channel, binary. Source: facts of kubelet's `wsstream` package. */
const portForwardProtocol = 'v4.channel.k8s.io';

/** With one port: its bytes, and texts about what went wrong with it. */
const dataChannel = 0;
const errorChannel = 1;

interface ChannelEvents {
  /** Both channels have named the port: the API server's side is set up. */
  ready(): void;
  data(chunk: Buffer): void;
  /** A text from the error channel, or a port header that is not ours. */
  failed(reason: string): void;
}

/**
 * Reads the messages of a port-forward of one port. Each channel begins with the port as two little-endian bytes,
 * which may come split over messages or together with what follows. Empty messages and other channels are ignored.
 */
export function createChannelReader(port: number, events: ChannelEvents): (message: Buffer) => void {
  const headers = [
    { bytesRead: 0, port: 0 },
    { bytesRead: 0, port: 0 },
  ];
  return message => {
    const channel = message[0];
    const header = channel === undefined ? undefined : headers[channel];
    if (!header) return;
    let start = 1;
    if (header.bytesRead < 2) {
      for (; header.bytesRead < 2 && start < message.length; header.bytesRead++)
        header.port |= message[start++]! << (8 * header.bytesRead);
      if (header.bytesRead < 2) return;
      if (header.port !== port)
        return events.failed(`the API server forwards port ${header.port} instead of ${port}`);
      if (headers.every(({ bytesRead }) => bytesRead === 2)) events.ready();
    }
    const rest = message.subarray(start);
    if (rest.length === 0) return;
    if (channel === dataChannel) events.data(rest);
    if (channel === errorChannel) events.failed(rest.toString('utf8').trim());
  };
}

/** One message of the data channel with all of the chunks in it. */
export function toDataMessage(chunks: readonly Uint8Array[], totalBytes: number): Buffer {
  return Buffer.concat([Buffer.of(dataChannel), ...chunks], totalBytes + 1);
}

/** Both directions hold at most about this much; more is left in the kernel's buffers, and so with the sender. */
const bufferBytes = 256 * 1024;

/** API servers take messages of 1 MiB; smaller ones let pings and other data between. */
const maxMessageBytes = 256 * 1024;

/** Bound on a text of the error channel in a message of ours. */
const maxReasonChars = 400;

interface TunnelOptions {
  readonly port: number;
  /** Where it leads, for errors. */
  readonly target: string;
  /** A ping goes out this often; a tunnel from which nothing at all came after two of them is dead. */
  readonly pingIntervalMs: number;
}

/**
 * One TCP connection to a Pod's port as a stream, carried by a WebSocket that has just been opened; emits `ready` once
 * the API server's side is set up. It owns the WebSocket. When the tunnel breaks, the stream is destroyed with a
 * GatewayError UNAVAILABLE that says why; when the Pod closes the connection, it ends. There is no half-close:
 * ending one side ends both.
 */
class TunnelStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #target: string;
  readonly #pings: NodeJS.Timeout;
  #unanswered = 0;

  constructor(socket: WebSocket, { port, target, pingIntervalMs }: TunnelOptions) {
    super({ allowHalfOpen: false, highWaterMark: bufferBytes });
    this.#socket = socket;
    this.#target = target;
    const read = createChannelReader(port, {
      ready: () => this.emit('ready'),
      data: chunk => this.#push(chunk),
      failed: reason => this.#fail(reason.slice(0, maxReasonChars)),
    });
    socket.on('message', (message: RawData) => {
      if (!this.destroyed) read(message as Buffer); // `binaryType` is left at 'nodebuffer'
    });
    for (const sign of ['message', 'ping', 'pong'])
      socket.on(sign, () => {
        this.#unanswered = 0;
      });
    socket.on('error', cause => this.#fail(reasonOf(cause), cause));
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    this.#pings = setInterval(() => this.#checkPulse(), pingIntervalMs);
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  /** Everything written since the last message went out leaves in one: gRPC writes many small pieces. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: () => void): void {
    this.#socket.close(1000);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearInterval(this.#pings);
    if (error) this.#socket.terminate();
    else this.#socket.close(1000); // `closeTimeout` bounds the wait for the answer
    this.#socket.resume(); // a paused socket would never see its close
    callback(error);
  }

  #push(chunk: Buffer): void {
    if (!this.push(chunk)) this.#socket.pause();
  }

  /** The callback comes once the kernel has the bytes; until then writes wait in this stream's own bounded buffer. */
  #send(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    let sending = 0;
    let batchBytes = 0;
    let batch: Buffer[] = [];
    let failure: Error | undefined;
    const done = (error?: Error) => {
      failure ??= error;
      if (--sending === 0) callback(failure ? this.#broken('it was closed', failure) : null);
    };
    const flush = () => {
      sending++;
      this.#socket.send(toDataMessage(batch, batchBytes), { binary: true, compress: false }, done);
      batch = [];
      batchBytes = 0;
    };
    sending++;
    for (const piece of pieces(chunks)) {
      if (batchBytes + piece.length > maxMessageBytes) flush();
      batch.push(piece);
      batchBytes += piece.length;
    }
    if (batchBytes > 0) flush();
    done();
  }

  #onClose(code: number, reason: string): void {
    if (this.destroyed) return;
    if (code === 1000) this.push(null);
    else
      this.#fail(
        code === 1006 ? 'the connection to the API server was lost' : `closed with ${code} ${reason}`.trim(),
      );
  }

  #checkPulse(): void {
    if (this.#unanswered < 2) {
      // a socket whose reader takes nothing is not read, and no answer would be seen: that is no sign of death
      this.#unanswered = this.#socket.isPaused ? 0 : this.#unanswered + 1;
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
      return;
    }
    // after a stall of this process the answer may be waiting in the kernel: let one round of input go first
    setImmediate(() => {
      if (this.#unanswered === 0 || this.destroyed) return;
      this.#fail('nothing came through it any more, not even answers to pings');
    });
  }

  #fail(reason: string, cause?: unknown): void {
    this.destroy(this.#broken(reason, cause));
  }

  #broken(reason: string, cause?: unknown): GatewayError {
    return unavailable(`the tunnel to ${this.#target} broke: ${reason}`, { cause });
  }
}

/** The chunks, each cut to the length of a message, without copying. */
function* pieces(chunks: readonly Buffer[]): Generator<Buffer> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += maxMessageBytes) yield chunk.subarray(at, at + maxMessageBytes);
  }
}

/** The rights that the credentials need; older API servers ask for `get`, newer ones for `create`. */
const rightsHint = 'the rules needed are get and create on pods/portforward';

/**
 * Opens a tunnel to a Pod, with fresh credentials where the kept ones are refused.
 * @throws GatewayError UNAVAILABLE that says which step failed
 */
export async function openPodTunnel(
  access: ClusterAccess,
  request: Omit<TunnelRequest, 'target'>,
): Promise<TillerStream> {
  return withFreshCredentials(access, request.signal, async settings => {
    const target = `pod ${request.namespace}/${request.pod} through ${settings.server}`;
    const stream = await openTunnel(settings, { ...request, target });
    // what Helm's own client connects to through its port-forward, and so what certificates are made for
    return { stream, target, authority: hostPort('127.0.0.1', request.port) };
  });
}

interface TunnelRequest extends TunnelOptions {
  readonly namespace: string;
  readonly pod: string;
  /** Bounds connecting, the upgrade and the port headers; an open tunnel does not heed it any more. */
  readonly signal: AbortSignal;
}

/** API servers send at most 32 KiB and the channel's byte in a message. */
const maxPayloadBytes = 1024 * 1024;

/** How long a closed WebSocket waits for the other side's close before its socket is destroyed. */
const closeTimeoutMs = 1000;

const maxRefusalBytes = 64 * 1024;

/**
 * Opens a port-forward to a Pod over a WebSocket.
 * @throws GatewayError UNAVAILABLE where there was no answer, or something went wrong after the upgrade; ApiRefused where
 * the API server answered something other than the upgrade
 */
async function openTunnel(settings: RequestSettings, request: TunnelRequest): Promise<TunnelStream> {
  const step = `opening the tunnel to ${request.target}`;
  const failed = (reason: string, cause?: unknown) => stepFailed(step, reason, { cause });
  let socket: WebSocket;
  try {
    const { WebSocket } = await import('ws');
    socket = startHandshake(WebSocket, settings, request);
  } catch (cause) {
    throw failed(reasonOf(cause), cause); // a header that cannot be sent, for example
  }
  const { promise, resolve, reject } = Promise.withResolvers<TunnelStream>();
  const onAbort = () => reject(failed('no answer in time', request.signal.reason));
  request.signal.addEventListener('abort', onAbort, { once: true });
  if (request.signal.aborted) onAbort();
  socket.on('error', cause => reject(failed(reasonOf(cause), cause)));
  socket.once('unexpected-response', (_request, response) => readRefusal(step, response).then(reject));
  socket.once('open', () => {
    const stream = new TunnelStream(socket, request);
    // stays for good: an error right behind the port headers is emitted before the caller gets to listen
    stream.on('error', reject);
    stream.once('ready', () => resolve(stream));
  });
  let isOpen = false;
  try {
    const stream = await promise;
    if (stream.errored) throw stream.errored;
    isOpen = true;
    return stream;
  } finally {
    request.signal.removeEventListener('abort', onAbort);
    if (!isOpen) socket.terminate();
  }
}

function startHandshake(
  Socket: typeof WebSocket,
  settings: RequestSettings,
  { namespace, pod, port }: TunnelRequest,
): WebSocket {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const options: ClientOptions & { readonly closeTimeout: number } = {
    // the type of ws declares checkServerIdentity with another signature than node:tls has
    ...(settings.tls as Omit<ServerTls, 'checkServerIdentity'>),
    headers: settings.headers as Record<string, string>,
    ...(settings.agent && { agent: settings.agent }),
    perMessageDeflate: false, // costs time, and gRPC's data compresses badly in small pieces
    skipUTF8Validation: true,
    maxPayload: maxPayloadBytes,
    closeTimeout: closeTimeoutMs,
  };
  return new Socket(`${settings.server}${path}?ports=${port}`, portForwardProtocol, options);
}

/** The answer instead of an upgrade, as far as it helps. */
async function readRefusal(step: string, response: IncomingMessage): Promise<ApiRefused> {
  const read = readBounded(response, { maxBytes: maxRefusalBytes, beyond: 'cut' });
  const body = await read.catch(() => Buffer.alloc(0)); // the status says enough
  const { statusCode: status = 0 } = response;
  return new ApiRefused(status === 403 ? `${step} (${rightsHint})` : step, status, body);
}
