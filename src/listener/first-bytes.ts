import type { Socket } from 'node:net';
import { detectProtocol, maxFirstBytes, type Protocol } from './detect-protocol.ts';

/**
 * Waits for the bytes that tell a connection's protocol, puts them back into the socket, and says which it is.
 * A connection that ends, fails or has not told after `timeoutMs` (in all, however it drips) is destroyed, and `decided`
 * is never called. At most 24 bytes and what came in the same packet are held.
 */
export function readFirstBytes(
  socket: Socket,
  timeoutMs: number,
  decided: (protocol: Protocol) => void,
): void {
  let held: Buffer | undefined;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', stop);
  };
  const onEnd = () => socket.destroy();
  const onReadable = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    // the parts are joined here, not unshifted one by one, since each unshift would make the socket readable again
    held = held === undefined ? chunk : Buffer.concat([held, chunk]);
    const protocol = detectProtocol(held.subarray(0, maxFirstBytes));
    if (protocol === undefined) return;
    stop();
    socket.unshift(held);
    decided(protocol);
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', stop);
}
