import { invalidArgument } from './gateway-error.ts';

/** Header names of gRPC over HTTP/2, spelled once. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const header = {
  acceptEncoding: 'grpc-accept-encoding',
  contentType: 'content-type',
  encoding: 'grpc-encoding',
  message: 'grpc-message',
  status: 'grpc-status',
  timeout: 'grpc-timeout',
  /** The version of Helm that a client of Tiller speaks. */
  helmClient: 'x-helm-api-client',
} as const;

export const grpcContentType = 'application/grpc';

/** Whether a content type is gRPC's: `application/grpc`, alone or followed by `+proto` or parameters; not `application/grpc-web`. */
export function isGrpcContentType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+; ]|$)/i.test(contentType);
}

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

/** Milliseconds per unit of `grpc-timeout`. */
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** setTimeout fires at once above 2^31−1 ms; a day is more than any call to Tiller needs. */
const maxTimeoutMs = 24 * 3_600_000;

/**
 * A `grpc-timeout` header (`5S`, `250m`) in milliseconds, a day at the most.
 * @throws GatewayError INVALID_ARGUMENT when it is not a number of up to 8 digits and a unit
 */
export function parseGrpcTimeout(value: string): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value.trim());
  const unit = units[match?.[2] ?? ''];
  if (!match || unit === undefined)
    throw invalidArgument(
      `Grpc-Timeout: ${JSON.stringify(value.slice(0, 20))} is not up to 8 digits and one of H M S m u n`,
    );
  return Math.min(Number(match[1]) * unit, maxTimeoutMs);
}

/** Milliseconds as a `grpc-timeout` header, which has room for 8 digits. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const milliseconds = Math.max(0, Math.ceil(timeoutMs));
  return milliseconds < 1e8 ? `${milliseconds}m` : `${Math.min(Math.ceil(milliseconds / 1000), 99_999_999)}S`;
}
