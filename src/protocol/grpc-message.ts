/**
 * A status message for the `grpc-message` header: printable ASCII stays, everything else and `%` is percent-encoded
 * UTF-8. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function encodeGrpcMessage(message: string): string {
  return message.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent);
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
