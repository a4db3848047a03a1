import { type WireField, WireReader, WireType, wireFields } from '../codec/index.ts';
import { GatewayError, invalidArgument } from '../protocol/index.ts';

/**
 * The top-level fields of a request in wire format: what a method needs to look at is read, everything else stays the
 * bytes it came as. Of a field that may come once, the last counts.
 */
export class RequestFields {
  private readonly request: Uint8Array;
  private readonly byNumber = new Map<number, WireField[]>();

  /** @throws GatewayError INVALID_ARGUMENT when the bytes are not a message */
  constructor(request: Uint8Array) {
    this.request = request;
    try {
      for (const field of wireFields(request)) {
        const known = this.byNumber.get(field.number);
        if (known) known.push(field);
        else this.byNumber.set(field.number, [field]);
      }
    } catch (error) {
      throw invalidArgument(GatewayError.from(error).message, { cause: error });
    }
  }

  has(number: number): boolean {
    return this.byNumber.has(number);
  }

  /** A 64-bit or 32-bit integer, or an enum's number; 0 when it is absent. */
  integer(number: number): bigint {
    const field = this.last(number, WireType.VARINT);
    if (!field) return 0n;
    return BigInt.asIntN(64, new WireReader(this.request, field.valueStart, field.end).uint64());
  }

  boolean(number: number): boolean {
    return this.integer(number) !== 0n;
  }

  string(number: number): string {
    return Buffer.from(this.bytes(number) ?? []).toString();
  }

  strings(number: number): string[] {
    return this.all(number).map(value => Buffer.from(value).toString());
  }

  /** The content of a string, of bytes, or of a nested message. */
  bytes(number: number): Uint8Array | undefined {
    return this.all(number).at(-1);
  }

  /** A nested message: where it comes several times, its parts merge, which is what joining their bytes means. */
  message(number: number): Uint8Array | undefined {
    const parts = this.all(number);
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  /** The entries of a repeated field of messages. */
  messages(number: number): Uint8Array[] {
    return this.all(number);
  }

  /** The whole fields of that number as they stand, tags included. */
  raw(number: number): Uint8Array[] {
    return (this.byNumber.get(number) ?? []).map(field => this.request.subarray(field.start, field.end));
  }

  /** All whole fields but those of that number. */
  rawExcept(number: number): Uint8Array[] {
    return [...this.byNumber.keys()].filter(known => known !== number).flatMap(known => this.raw(known));
  }

  private all(number: number): Uint8Array[] {
    return (this.byNumber.get(number) ?? [])
      .filter(field => field.wireType === WireType.BYTES)
      .map(field => this.request.subarray(field.valueStart, field.end));
  }

  private last(number: number, wireType: number): WireField | undefined {
    return this.byNumber.get(number)?.findLast(field => field.wireType === wireType);
  }
}
