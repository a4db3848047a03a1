import { maxDepth } from './limits.ts';
import { MalformedMessage, WireReader, WireType, wireFields } from './wire-format.ts';

/** What a google.protobuf.Value can hold. Objects have no prototype, so that any name is just a name. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/**
 * `google.protobuf.Struct` → object; the numbers of its messages are in `json-to-struct.ts`.
 * @throws MalformedMessage
 */
export function readStruct(wire: Uint8Array, depth = 0): { [name: string]: JsonValue } {
  const object: { [name: string]: JsonValue } = Object.create(null);
  for (const entry of wireFields(wire)) {
    if (entry.number !== 1 || entry.wireType !== WireType.BYTES) continue;
    let name = '';
    let value: JsonValue = null;
    for (const field of wireFields(wire, entry.valueStart, entry.end)) {
      if (field.wireType !== WireType.BYTES) continue;
      const content = wire.subarray(field.valueStart, field.end);
      if (field.number === 1) name = Buffer.from(content).toString();
      else if (field.number === 2) value = readValue(content, depth + 1);
    }
    object[name] = value;
  }
  return object;
}

function readValue(wire: Uint8Array, depth: number): JsonValue {
  if (depth > maxDepth) throw new MalformedMessage(`a Struct nests deeper than ${maxDepth}`);
  let value: JsonValue = null;
  for (const { number, wireType, valueStart, end } of wireFields(wire)) {
    const content = wire.subarray(valueStart, end);
    if (number === 2 && wireType === WireType.FIXED64) value = Buffer.from(content).readDoubleLE();
    else if (number === 4 && wireType === WireType.VARINT) value = new WireReader(content).uint32() !== 0;
    else if (number === 3 && wireType === WireType.BYTES) value = Buffer.from(content).toString();
    else if (number === 5 && wireType === WireType.BYTES) value = readStruct(content, depth + 1);
    else if (number === 6 && wireType === WireType.BYTES) value = readList(content, depth + 1);
    else value = null;
  }
  return value;
}

function readList(wire: Uint8Array, depth: number): JsonValue[] {
  return [...wireFields(wire)]
    .filter(field => field.number === 1 && field.wireType === WireType.BYTES)
    .map(field => readValue(wire.subarray(field.valueStart, field.end), depth));
}
