import { connect, type Socket } from 'node:net';
import { reasonOf, unavailable } from '../protocol/index.ts';
import { hostPort, type SocketAddress } from './endpoint.ts';

export interface DialOptions {
  readonly address: SocketAddress;
  /** Bound on name resolution and connecting together. */
  readonly timeoutMs: number;
  /** Ends the attempt early. */
  readonly signal: AbortSignal;
}

/**
 * Opens a TCP or Unix socket with Nagle's delay off; all addresses of a name are tried (Node's "happy eyeballs").
 * The caller owns the socket and has to listen for its errors.
 * @throws GatewayError UNAVAILABLE with the address and the reason
 */
export function dial({ address, timeoutMs, signal }: DialOptions): Promise<Socket> {
  const where = addressText(address);
  return new Promise((resolve, reject) => {
    if (signal.aborted)
      return reject(unavailable(`connecting to ${where}: given up`, { cause: signal.reason }));
    const socket = connect({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    const settle = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', settleWell).off('error', fail);
      if (!error) return resolve(socket);
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const settleWell = () => settle();
    const fail = (error: Error) =>
      settle(unavailable(`connecting to ${where}: ${reasonOf(error)}`, { cause: error }));
    const onAbort = () => settle(unavailable(`connecting to ${where}: given up`, { cause: signal.reason }));
    const timer = setTimeout(
      () => settle(unavailable(`connecting to ${where}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.once('connect', settleWell).once('error', fail);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The address as messages show it. */
export function addressText(address: SocketAddress): string {
  return 'path' in address ? `unix:${address.path}` : hostPort(address.host, address.port);
}
