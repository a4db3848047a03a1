import { readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { invalidArgument } from '../protocol/index.ts';
import type { Activity } from './connections.ts';
import { contain } from './guard-fronts.ts';
import type { ListenerLog, TlsOptions } from './options.ts';

/** A bundle of every public CA has some 200 KiB. */
const maxFileBytes = 4 * 1024 * 1024;
const defaultReloadIntervalMs = 10_000;

/**
 * TLS on sockets that the listener accepted.
 * @param secured gets each connection after its handshake, with the negotiated protocol
 * @throws GatewayError INVALID_ARGUMENT where the certificate files cannot be used
 */
export async function createTlsLayer(
  options: TlsOptions,
  handshakeTimeoutMs: number,
  log: ListenerLog,
  secured: (socket: TLSSocket, protocol: 'http2' | 'http1', activity: Activity) => void,
) {
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
    /** Performs the handshake, bounded in time; then `secured` gets the socket, or it is destroyed. */
    accept(socket: Socket, activity: Activity): void {
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

type TlsMaterial = Awaited<ReturnType<typeof readTlsFiles>>;

/**
 * Reads the contents of the files, in PEM.
 * @throws GatewayError INVALID_ARGUMENT with the file that cannot be read, or the reason why the files do not match
 */
async function readTlsFiles(options: TlsOptions) {
  const material = {
    cert: await readPem(options.certFile),
    key: await readPem(options.privateKeyFile),
    ...(options.caFile === undefined ? {} : { ca: await readPem(options.caFile) }),
  };
  try {
    createSecureContext(material);
  } catch (error) {
    const files = [options.certFile, options.privateKeyFile, options.caFile].filter(
      file => file !== undefined,
    );
    // OpenSSL's reason only: "key values mismatch", "no start line"; never what is in the files
    const reason = (error as { reason?: string }).reason ?? 'not PEM that TLS can use';
    throw invalidArgument(`${files.join(', ')}: ${reason}`, { cause: error });
  }
  return material;
}

/**
 * Reads the files again at every interval, and calls `onChange` when they have changed and match each other.
 * Contents are compared, not times, because Kubernetes swaps a symbolic link above the files. Files that do not match
 * (a certificate whose key is not written yet) are logged once, and the old ones stay in use.
 * @returns a function that ends the watch
 */
function watchTlsFiles(
  options: TlsOptions,
  first: TlsMaterial,
  onChange: (material: TlsMaterial) => void,
  log: ListenerLog,
): () => void {
  const intervalMs = options.reloadIntervalMs ?? defaultReloadIntervalMs;
  let current = first;
  let lastReason = '';
  let stopped = false;
  const look = async () => {
    try {
      const material = await readTlsFiles(options);
      lastReason = '';
      if (!stopped && !isDeepStrictEqual(material, current)) {
        onChange(material);
        current = material;
        log('info', 'TLS certificate reloaded', { file: options.certFile });
      }
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== lastReason) log('warn', 'TLS certificate not reloaded, the old one stays', { reason });
      lastReason = reason;
    }
    if (!stopped) timer = setTimeout(look, intervalMs).unref();
  };
  let timer = setTimeout(look, intervalMs).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function readPem(file: string): Promise<Buffer> {
  try {
    if ((await stat(file)).size > maxFileBytes)
      throw invalidArgument(`${file}: larger than ${maxFileBytes} bytes`);
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    throw invalidArgument(`${file}: cannot be read: ${code}`, { cause: error });
  }
}
