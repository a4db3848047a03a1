/** What a connection speaks, as far as its first bytes tell. */
export type Protocol = 'tls' | 'http2' | 'http1';

/** Rule: https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const http2Preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The first byte of a TLS handshake record, https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const tlsHandshake = 0x16;

/** No more than this is ever needed to decide. */
export const maxFirstBytes = http2Preface.length;

/**
 * Tells the protocol by a connection's first bytes; nothing while more of them are needed, which is only the case for
 * the beginnings of HTTP/2's preface. Garbage counts as HTTP/1.1, whose parser answers it with 400.
 */
export function detectProtocol(firstBytes: Uint8Array): Protocol | undefined {
  if (firstBytes.length === 0) return undefined;
  if (firstBytes[0] === tlsHandshake) return 'tls';
  const length = Math.min(firstBytes.length, http2Preface.length);
  if (http2Preface.compare(firstBytes, 0, length, 0, length) !== 0) return 'http1';
  return length === http2Preface.length ? 'http2' : undefined;
}
