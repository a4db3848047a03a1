import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Activity } from './connections.ts';
import { contain } from './guard-fronts.ts';
import type { ListenerLog, TlsOptions } from './options.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';

/** TLS on sockets that the listener accepted. */
export interface TlsLayer {
  /** Performs the handshake, bounded in time; then `secured` gets the socket, or it is destroyed. */
  accept(socket: Socket, activity: Activity): void;
  close(): void;
}

/**
 * @param secured gets each connection after its handshake, with the negotiated protocol
 * @throws GatewayError INVALID_ARGUMENT where the certificate files cannot be used
 */
export async function createTlsLayer(
  options: TlsOptions,
  handshakeTimeoutMs: number,
  log: ListenerLog,
  secured: (socket: TLSSocket, protocol: 'http2' | 'http1', activity: Activity) => void,
): Promise<TlsLayer> {
  const material = await readTlsFiles(options);
  const server = createServer({
    ...material,
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: options.clientAuth !== 'none',
    // Node would refuse clients without a certificate too; those with an invalid one are refused below
    rejectUnauthorized: false,
  });
  /** By both ends' addresses, since Node does not say which socket is below a TLSSocket. */
  const activities = new Map<string, Activity>();
  server.on('secureConnection', socket => {
    socket.on('error', () => {}); // what serves it handles its end
    const activity = activities.get(endsOf(socket));
    if (!activity) return void socket.destroy(); // it is closed already
    if (options.clientAuth !== 'none' && !socket.authorized && socket.getPeerX509Certificate()) {
      log('debug', "a client's certificate was refused", { reason: String(socket.authorizationError) });
      return void socket.destroy();
    }
    contain(log, socket, () => secured(socket, socket.alpnProtocol === 'h2' ? 'http2' : 'http1', activity));
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    log('debug', 'TLS handshake failed', { reason: error.code ?? error.message });
    socket.destroy(); // Node does not, after a time-out
  });
  const stopWatching = watchTlsFiles(options, material, next => server.setSecureContext(next), log);
  return {
    accept(socket, activity) {
      const ends = endsOf(socket);
      activities.set(ends, activity);
      socket.once('close', () => activities.get(ends) === activity && activities.delete(ends));
      server.emit('connection', socket);
    },
    close: stopWatching,
  };
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
