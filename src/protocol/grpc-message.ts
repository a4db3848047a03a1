/**
 * A status message for the `grpc-message` header: printable ASCII stays, everything else and `%` is percent-encoded
 * UTF-8. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 * Spaces at the ends are encoded as well: strict peers drop a header whose value begins or ends with white space
 * (RFC 9113, 8.2.1), and with it the whole text.
 */
export function encodeGrpcMessage(message: string): string {
  const encoded = message.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent);
  const inner = encoded.trim(); // any other white space is encoded by now
  if (inner.length === encoded.length) return encoded;
  const before = encoded.length - encoded.trimStart().length;
  const after = encoded.length - inner.length - before;
  return '%20'.repeat(before) + inner + '%20'.repeat(after);
}

/** The reverse; what is not well encoded (a stray `%`, half a character) stays as it is. */
export function decodeGrpcMessage(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded.replace(/(?:%[0-9a-fA-F]{2})+/g, run =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
    );
  }
}
