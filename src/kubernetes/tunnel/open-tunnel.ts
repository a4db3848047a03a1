import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { type GatewayError, reasonOf, unavailable } from '../../protocol/index.ts';
import type { ApiRefusal } from '../access/api-error.ts';
import type { RequestSettings } from '../access/cluster-access.ts';
import { portForwardProtocol } from './port-forward-channels.ts';
import { TunnelStream } from './tunnel-stream.ts';

export interface TunnelRequest {
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
export async function openTunnel(
  settings: RequestSettings,
  request: TunnelRequest,
): Promise<TunnelStream | ApiRefusal> {
  const failed = (reason: string, cause?: unknown): GatewayError =>
    unavailable(`opening the tunnel to ${request.target}: ${reason}`, { cause });
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
    ...settings.tls,
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
  let body = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk;
      if (body.length > maxRefusalBytes) break;
    }
  } catch {
    // the status says enough
  }
  return { status: response.statusCode ?? 0, body };
}
