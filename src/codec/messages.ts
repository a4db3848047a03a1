import type protobuf from 'protobufjs';
import { invalidArgument } from '../protocol/index.ts';
import type { MessageTypes } from './messages.gen.ts';
import { protoRoot } from './schema.ts';

/** Every field optional, at every depth: what may be encoded. */
export type Partially<T> = T extends Uint8Array
  ? T
  : T extends (infer Item)[]
    ? Partially<Item>[]
    : T extends object
      ? { [Key in keyof T]?: Partially<T[Key]> | undefined }
      : T;

const types = new Map<string, protobuf.Type>();

function typeOf(name: string): protobuf.Type {
  const known = types.get(name);
  if (known) return known;
  const type = protoRoot.lookupType(name);
  types.set(name, type);
  return type;
}

/** 64-bit integers become numbers (seconds and counts fit), enums their names, bytes Buffers. */
const toObject: protobuf.IConversionOptions = { longs: Number, enums: String, bytes: Buffer, defaults: true };

/**
 * Wire format → plain object, for the places that need a whole message as an object (charts, the sandbox, tests).
 * Scalars, lists and maps are always present; a message that is absent is null. Not for replies to a
 * client: those are transcoded without objects (`wire-to-json.ts`).
 * @throws GatewayError INVALID_ARGUMENT when the bytes are not such a message
 */
export function decodeMessage<Name extends keyof MessageTypes>(
  name: Name,
  wire: Uint8Array,
): MessageTypes[Name] {
  const type = typeOf(name);
  try {
    return type.toObject(type.decode(wire), toObject) as MessageTypes[Name];
  } catch (cause) {
    throw invalidArgument(`not a ${name} message`, { cause });
  }
}

/** Plain object → wire format. Enums are given by name or number, bytes as Uint8Array. */
export function encodeMessage<Name extends keyof MessageTypes>(
  name: Name,
  message: Partially<MessageTypes[Name]>,
): Buffer {
  const type = typeOf(name);
  const wire = type.encode(type.fromObject(message as Record<string, unknown>)).finish();
  return Buffer.from(wire.buffer, wire.byteOffset, wire.byteLength);
}
