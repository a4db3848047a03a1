import {
  acceptsWireType,
  limits,
  MalformedMessage,
  type MessageTypes,
  messageType,
  type WireField,
  WireReader,
  wireFields,
} from '../codec/index.ts';
import { Code, GatewayError, invalidArgument } from '../protocol/index.ts';

type Name = keyof MessageTypes;

/**
 * The top-level fields of a message in wire format, by name. What a method needs to look at is read; everything else
 * stays the bytes it came as. Of a field that may come once, the last counts.
 */
export class RequestFields<Type extends Name> {
  readonly #wire: Uint8Array;
  readonly #byName = new Map<string, WireField[]>();

  /** @throws GatewayError INVALID_ARGUMENT when the bytes are not such a message, or a field has a wrong wire type */
  constructor(type: Type, wire: Uint8Array) {
    this.#wire = wire;
    const { byNumber } = messageType(type);
    let nodes = 0;
    try {
      for (const part of wireFields(wire)) {
        if (++nodes > limits.maxNodes) throw tooMany();
        const field = byNumber.get(part.number);
        if (!field) continue;
        if (!acceptsWireType(field, part.wireType))
          throw invalidArgument(`${field.name} has a wrong wire type`);
        const known = this.#byName.get(field.name);
        if (known) known.push(part);
        else this.#byName.set(field.name, [part]);
      }
    } catch (cause) {
      throw cause instanceof MalformedMessage ? invalidArgument(cause.message, { cause }) : cause;
    }
  }

  has(name: keyof MessageTypes[Type] & string): boolean {
    return this.#byName.has(name);
  }

  /** A 64-bit or 32-bit integer, or an enum's number; 0 when it is absent. */
  integer(name: keyof MessageTypes[Type] & string): bigint {
    const field = this.#byName.get(name)?.at(-1);
    if (!field) return 0n;
    return BigInt.asIntN(64, new WireReader(this.#wire, field.valueStart, field.end).uint64());
  }

  boolean(name: keyof MessageTypes[Type] & string): boolean {
    return this.integer(name) !== 0n;
  }

  string(name: keyof MessageTypes[Type] & string): string {
    return this.strings(name).at(-1) ?? '';
  }

  strings(name: keyof MessageTypes[Type] & string): string[] {
    return this.messages(name).map(value => Buffer.from(value).toString());
  }

  /** The content of bytes; undefined when it is absent or empty, which is the same in proto3. */
  bytes(name: keyof MessageTypes[Type] & string): Uint8Array | undefined {
    const content = this.messages(name).at(-1);
    return content && content.length > 0 ? content : undefined;
  }

  /** A nested message: where it comes several times, its parts merge, which is what joining their bytes means. */
  message(name: keyof MessageTypes[Type] & string): Uint8Array | undefined {
    const parts = this.messages(name);
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  /** The entries of a repeated field of messages. */
  messages(name: keyof MessageTypes[Type] & string): Uint8Array[] {
    return (this.#byName.get(name) ?? []).map(field => this.#wire.subarray(field.valueStart, field.end));
  }
}

function tooMany(): GatewayError {
  return new GatewayError(Code.RESOURCE_EXHAUSTED, `the request has more than ${limits.maxNodes} fields`);
}
