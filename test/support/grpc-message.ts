/** The text of a `grpc-message` header; what is not well encoded (a stray `%`, half a character) stays as it is. */
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
