import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { type GatewayError, readBounded, reasonOf, stepFailed } from '../protocol/index.ts';
import {
  type ApiRefusal,
  apiError,
  type ClusterAccess,
  type RequestSettings,
  type ServerTls,
  withFreshCredentials,
} from './api.ts';
import { hostPort, type TillerStream } from './endpoint.ts';
import { portForwardProtocol, TunnelStream } from './tunnel-stream.ts';

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
  const { target, reply } = await withFreshCredentials(
    access,
    request.signal,
    async settings => {
      const target = `pod ${request.namespace}/${request.pod} through ${settings.server}`;
      return { target, reply: await openTunnel(settings, { ...request, target }) };
    },
    ({ reply }) => 'status' in reply && reply.status === 401,
  );
  if ('status' in reply) {
    const step = `opening the tunnel to ${target}`;
    throw apiError(reply.status === 403 ? `${step} (${rightsHint})` : step, reply);
  }
  // what Helm's own client connects to through its port-forward, and so what certificates are made for
  return { stream: reply, target, authority: hostPort('127.0.0.1', request.port) };
}

interface TunnelRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  /** Where it leads, for errors. */
  readonly target: string;
  /** Bounds connecting, the upgrade and the port headers; an open tunnel does not heed it any more. */
  readonly signal: AbortSignal;
  readonly pingIntervalMs: number;
}

/** API servers send at most 32 KiB and the channel's byte in a message. */
const maxMessageBytes = 1024 * 1024;

/** How long a closed WebSocket waits for the other side's close before its socket is destroyed. */
const closeTimeoutMs = 1000;

const maxRefusalBytes = 64 * 1024;

/**
 * Opens a port-forward to a Pod over a WebSocket.
 * @returns the open tunnel, or what the API server answered instead of the upgrade
 * @throws GatewayError UNAVAILABLE where there was no answer, or something went wrong after the upgrade
 */
async function openTunnel(
  settings: RequestSettings,
  request: TunnelRequest,
): Promise<TunnelStream | ApiRefusal> {
  const failed = (reason: string, cause?: unknown): GatewayError =>
    stepFailed(`opening the tunnel to ${request.target}`, reason, { cause });
  let socket: WebSocket;
  try {
    socket = startHandshake(settings, request);
  } catch (cause) {
    throw failed(reasonOf(cause), cause); // a header that cannot be sent, for example
  }
  const { promise, resolve, reject } = Promise.withResolvers<TunnelStream | ApiRefusal>();
  const onAbort = () => reject(failed('no answer in time', request.signal.reason));
  request.signal.addEventListener('abort', onAbort, { once: true });
  if (request.signal.aborted) onAbort();
  socket.on('error', cause => reject(failed(reasonOf(cause), cause)));
  socket.once('unexpected-response', (_request, response) => readRefusal(response).then(resolve, reject));
  socket.once('open', () => {
    const stream = new TunnelStream(socket, request);
    // stays for good: an error right behind the port headers is emitted before the caller gets to listen
    stream.on('error', reject);
    stream.once('ready', () => resolve(stream));
  });
  let isOpen = false;
  try {
    const reply = await promise;
    if (reply instanceof TunnelStream && reply.errored) throw reply.errored;
    isOpen = reply instanceof TunnelStream;
    return reply;
  } finally {
    request.signal.removeEventListener('abort', onAbort);
    if (!isOpen) socket.terminate();
  }
}

function startHandshake(settings: RequestSettings, { namespace, pod, port }: TunnelRequest): WebSocket {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  const options: ClientOptions & { readonly closeTimeout: number } = {
    // the type of ws declares checkServerIdentity with another signature than node:tls has
    ...(settings.tls as Omit<ServerTls, 'checkServerIdentity'>),
    headers: settings.headers as Record<string, string>,
    ...(settings.agent && { agent: settings.agent }),
    perMessageDeflate: false, // costs time, and gRPC's data compresses badly in small pieces
    skipUTF8Validation: true,
    maxPayload: maxMessageBytes,
    closeTimeout: closeTimeoutMs,
  };
  return new WebSocket(`${settings.server}${path}?ports=${port}`, portForwardProtocol, options);
}

/** The answer instead of an upgrade, as far as it helps. */
async function readRefusal(response: IncomingMessage): Promise<ApiRefusal> {
  const read = readBounded(response, { maxBytes: maxRefusalBytes, beyond: 'cut' });
  const body = await read.catch(() => Buffer.alloc(0)); // the status says enough
  return { status: response.statusCode ?? 0, body: body.toString() };
}
