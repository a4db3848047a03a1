import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Target } from './cluster-state.ts';
import type { Faults } from './faults.ts';

const protocol = 'v4.channel.k8s.io';

/** Kubelets send no larger pieces. */
const maxChunkBytes = 32 * 1024;

/** Buffers of one tunnel that are kept for the next messages. */
const maxFreeMessages = 8;

/** What may wait for a slow client before the Pod's side is no longer read. */
const maxWaitingBytes = 256 * 1024;

/** A real kubelet takes about this long to close after the Pod's side did. */
const closeDelayMs = 1000;

/** A port-forward that is asked for. */
export interface Forward {
  readonly podUid: string;
  readonly port: number;
  /** Where that port really is; undefined where nothing listens. */
  readonly target: Target | undefined;
}

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
    /** Takes the connection over. */
    accept(request: IncomingMessage, socket: Duplex, head: Buffer, forward: Forward): void {
      const offered = request.headers['sec-websocket-protocol']?.split(',').map(name => name.trim());
      if (offered && !offered.includes(protocol)) {
        return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      }
      server.handleUpgrade(request, socket, head, client => {
        faults.opened(forward.podUid, socket);
        for (const message of faults.portHeaders(forward.port)) client.send(message);
        if (forward.target) connectTo(forward.target, client, forward);
        else refuse(client, forward, 'connection refused');
      });
    },
  };
}

function connectTo(target: Target, client: WebSocket, forward: Forward): void {
  const messages = createMessageSender(client, () => socket.resume());
  const socket: Socket = connect({ ...target, noDelay: true, onread: messages });
  let failed = false;
  socket.on('error', error => {
    failed = true;
    refuse(client, forward, error.message);
  });
  socket.on('close', () => {
    if (!failed) setTimeout(() => client.close(1000), closeDelayMs).unref();
  });
  client.on('message', (message: RawData) => receive(client, socket, message as Buffer));
  client.on('error', () => client.terminate());
  client.on('close', () => socket.destroy());
}

/**
 * To the client: what the Pod sends is read into its place behind the data channel's byte, and the buffer is used again
 * once the kernel has the message. Chunks that are copied and thrown away cost more in garbage than all the rest.
 */
function createMessageSender(client: WebSocket, resume: () => void) {
  const free: Buffer[] = [];
  let message: Buffer = Buffer.alloc(0);
  let held = false;
  return {
    /** Room for the next piece. */
    buffer(): Buffer {
      message = free.pop() ?? Buffer.allocUnsafeSlow(1 + maxChunkBytes);
      message[0] = 0;
      return message.subarray(1);
    },
    /** @returns false where the Pod is not to be read until the client has caught up */
    callback(bytesRead: number): boolean {
      const sent = message;
      client.send(sent.subarray(0, 1 + bytesRead), () => {
        if (free.length < maxFreeMessages) free.push(sent);
        if (!held || client.bufferedAmount > maxWaitingBytes) return;
        held = false;
        resume();
      });
      held = client.bufferedAmount > maxWaitingBytes;
      return !held;
    },
  };
}

/** From the client: the data channel only, as a real kubelet ignores all else. */
function receive(client: WebSocket, socket: Socket, message: Buffer): void {
  if (message.length < 2 || message[0] !== 0) return;
  if (socket.write(message.subarray(1))) return;
  client.pause();
  socket.once('drain', () => client.resume());
}

function refuse(client: WebSocket, { podUid, port }: Forward, reason: string): void {
  const text = `error forwarding port ${port} to pod ${podUid}, uid : ${reason}`;
  client.send(Buffer.concat([Buffer.of(1), Buffer.from(text)]));
  client.close(1000);
}
