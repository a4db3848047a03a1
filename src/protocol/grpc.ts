import { createGunzip, createInflate } from 'node:zlib';
import { Code } from './code.ts';
import { GatewayError, invalidArgument, limitExceeded } from './gateway-error.ts';
import { readBounded } from './read-bounded.ts';

/** Header names of gRPC over HTTP/2, spelled once. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const header = {
  acceptEncoding: 'grpc-accept-encoding',
  contentType: 'content-type',
  encoding: 'grpc-encoding',
  message: 'grpc-message',
  status: 'grpc-status',
  timeout: 'grpc-timeout',
  /** Of the gateway's own: where the answer of a read comes from. */
  reads: 'tiller-gateway-reads',
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

/** Compressed flag and length. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const framePrefixBytes = 5;

/** A message with its prefix, ready to be sent, uncompressed. */
export function toFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(framePrefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, framePrefixBytes);
  return frame;
}

/** One message as it came, still compressed if `compressed`. */
export interface Frame {
  readonly compressed: boolean;
  readonly message: Buffer;
}

/** Room made at once for a message that is spread over chunks; beyond it a buffer doubles as the message arrives. */
const firstRoomBytes = 64 * 1024;

/**
 * Takes the bytes of a stream and gives the messages in them. A message that arrives in one chunk is not copied. Of one
 * that is spread over chunks it holds about what has arrived, never all that a prefix of a stranger merely announces.
 */
export class FrameReader {
  readonly #maxMessageBytes: number;
  #pending: Buffer = Buffer.alloc(0);
  #pendingBytes = 0;

  /** @param maxMessageBytes bound on the length of a message, before decompression */
  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** True when no part of a message is waiting for the rest. */
  get empty(): boolean {
    return this.#pendingBytes === 0;
  }

  /** @throws GatewayError RESOURCE_EXHAUSTED when a message is announced that is over the bound; INTERNAL for a broken prefix */
  push(chunk: Buffer): Frame[] {
    let bytes = this.#pendingBytes === 0 ? chunk : this.#append(chunk);
    const frames: Frame[] = [];
    while (bytes.length >= framePrefixBytes) {
      const end = framePrefixBytes + this.#announcedLength(bytes);
      if (bytes.length < end) break;
      frames.push({ compressed: bytes[0] === 1, message: bytes.subarray(framePrefixBytes, end) });
      bytes = bytes.subarray(end);
    }
    this.#keep(bytes, frames.length > 0);
    return frames;
  }

  #announcedLength(bytes: Buffer): number {
    if (bytes[0]! > 1) throw new GatewayError(Code.INTERNAL, `gRPC frame with flags ${bytes[0]}`);
    const length = bytes.readUInt32BE(1);
    if (length > this.#maxMessageBytes) {
      throw limitExceeded(`message of ${length} bytes is over the limit of ${this.#maxMessageBytes}`);
    }
    return length;
  }

  #append(chunk: Buffer): Buffer {
    const total = this.#pendingBytes + chunk.length;
    if (total > this.#pending.length) this.#grow(total, Math.max(total, this.#pending.length * 2));
    this.#pending.set(chunk, this.#pendingBytes);
    this.#pendingBytes = total;
    return this.#pending.subarray(0, total);
  }

  /** Keeps the start of a message for the next chunk; messages handed out keep the old buffer for themselves. */
  #keep(rest: Buffer, handedOut: boolean): void {
    if (rest.length === 0) {
      this.#pending = Buffer.alloc(0);
      this.#pendingBytes = 0;
    } else if (handedOut || this.#pendingBytes === 0) {
      this.#pending = rest;
      this.#pendingBytes = rest.length;
      const announced = rest.length < framePrefixBytes ? 0 : framePrefixBytes + rest.readUInt32BE(1);
      this.#grow(rest.length, Math.max(rest.length, Math.min(announced, firstRoomBytes)));
    }
  }

  /** Moves what is pending into a buffer of its own. */
  #grow(neededBytes: number, wantedBytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(neededBytes, wantedBytes));
    grown.set(this.#pending.subarray(0, this.#pendingBytes));
    this.#pending = grown;
  }
}

const decompressors = new Map([
  ['gzip', createGunzip],
  ['deflate', createInflate],
]);

/**
 * The message of a frame, decompressed as `grpc-encoding` says.
 * @param onBytes runs for the bytes of each part that is decompressed; what it throws ends the work
 * @throws GatewayError INTERNAL for bytes that do not decompress, UNIMPLEMENTED for an unknown encoding, and
 * RESOURCE_EXHAUSTED as soon as the result passes the bound
 */
export async function decompressFrame(
  frame: Frame,
  encoding: string | undefined,
  maxBytes: number,
  onBytes?: (bytes: number) => void,
): Promise<Buffer> {
  if (!frame.compressed) return frame.message;
  const createUnzip = decompressors.get(encoding ?? '');
  if (!createUnzip) {
    throw new GatewayError(
      Code.UNIMPLEMENTED,
      `grpc-encoding ${JSON.stringify(encoding ?? 'identity')} is not supported for compressed messages`,
    );
  }
  const unzip = createUnzip();
  unzip.end(frame.message);
  try {
    return await readBounded(unzip, { maxBytes, what: 'the decompressed message', onBytes });
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError(Code.INTERNAL, `message does not decompress as ${encoding}`, { cause });
  }
}
