import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { SandboxPod, Target } from './cluster-state.ts';
import type { Faults } from './faults.ts';

const protocol = 'v4.channel.k8s.io';

/** Kubelets send no larger pieces. */
const maxChunkBytes = 32 * 1024;

/** What may wait for a slow client before the Pod's side is no longer read. */
const maxWaitingBytes = 256 * 1024;

/** A real kubelet takes about this long to close after the Pod's side did. */
const closeDelayMs = 1000;

/** Accepts port-forward upgrades; keeps the open tunnels for the faults. */
export function createPortForwarder(faults: Faults) {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 32 * 1024 * 1024,
    handleProtocols: protocols => (protocols.has(protocol) ? protocol : false),
  });
  server.on('headers', (headers, { headers: asked }) => {
    // a real API server answers with an empty one where none was offered
    if (asked['sec-websocket-protocol'] === undefined) headers.push('Sec-WebSocket-Protocol: ');
  });
  return {
    /** Takes the connection over. `port` is the Pod's, and may be one where nothing listens. */
    accept(request: IncomingMessage, socket: Duplex, head: Buffer, pod: SandboxPod, port: number): void {
      const offered = request.headers['sec-websocket-protocol']?.split(',').map(name => name.trim());
      if (offered && !offered.includes(protocol)) {
        return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      }
      server.handleUpgrade(request, socket, head, client => {
        faults.opened(pod.uid, socket);
        for (const message of faults.portHeaders(port)) client.send(message);
        forward(client, pod, port);
      });
    },
  };
}

function forward(client: WebSocket, pod: SandboxPod, port: number): void {
  const target = pod.ports.find(candidate => candidate.port === port)?.target;
  if (target) connectTo(target, client, pod, port);
  else refuse(client, pod, port, 'connection refused');
}

function connectTo(target: Target, client: WebSocket, pod: SandboxPod, port: number): void {
  const socket = connect({ ...target, noDelay: true });
  let failed = false;
  socket.on('error', error => {
    failed = true;
    refuse(client, pod, port, error.message);
  });
  socket.on('close', () => {
    if (!failed) setTimeout(() => client.close(1000), closeDelayMs).unref();
  });
  socket.on('data', chunk => sendData(client, socket, chunk));
  client.on('message', (message: RawData) => receive(client, socket, message as Buffer));
  client.on('error', () => client.terminate());
  client.on('close', () => socket.destroy());
}

/** To the client, in pieces behind the data channel's byte. */
function sendData(client: WebSocket, socket: Socket, chunk: Buffer): void {
  for (let at = 0; at < chunk.length; at += maxChunkBytes) {
    const piece = chunk.subarray(at, at + maxChunkBytes);
    const message = Buffer.allocUnsafe(piece.length + 1);
    message[0] = 0;
    message.set(piece, 1);
    client.send(message, () => {
      if (socket.isPaused() && client.bufferedAmount <= maxWaitingBytes) socket.resume();
    });
  }
  if (client.bufferedAmount > maxWaitingBytes) socket.pause();
}

/** From the client: the data channel only, as a real kubelet ignores all else. */
function receive(client: WebSocket, socket: Socket, message: Buffer): void {
  if (message.length < 2 || message[0] !== 0) return;
  if (socket.write(message.subarray(1))) return;
  client.pause();
  socket.once('drain', () => client.resume());
}

function refuse(client: WebSocket, pod: SandboxPod, port: number, reason: string): void {
  const text = `error forwarding port ${port} to pod ${pod.uid}, uid : ${reason}`;
  client.send(Buffer.concat([Buffer.of(1), Buffer.from(text)]));
  client.close(1000);
}
