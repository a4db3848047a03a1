import type { Socket } from 'node:net';

/** What a connection speaks, as far as its first bytes tell. */
export type Protocol = 'tls' | 'http2' | 'http1';

/** Rule: https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const http2Preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The first byte of a TLS handshake record, https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const tlsHandshake = 0x16;

/**
 * Tells the protocol by a connection's first bytes; nothing while more of them are needed, which is only the case for
 * the beginnings of HTTP/2's preface. Garbage counts as HTTP/1.1, whose parser answers it with 400. This decides what
 * the connection is: no version that a request names later changes it.
 */
export function detectProtocol(firstBytes: Uint8Array): Protocol | undefined {
  if (firstBytes.length === 0) return undefined;
  if (firstBytes[0] === tlsHandshake) return 'tls';
  const length = Math.min(firstBytes.length, http2Preface.length);
  if (http2Preface.compare(firstBytes, 0, length, 0, length) !== 0) return 'http1';
  return length === http2Preface.length ? 'http2' : undefined;
}

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
    const protocol = detectProtocol(held.subarray(0, http2Preface.length));
    if (protocol === undefined) return;
    stop();
    socket.unshift(held);
    decided(protocol);
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', stop);
}
