import { limits, MalformedMessage, type WireField, WireReader, WireType, wireFields } from './wire-format.ts';

/*
 * `google.protobuf.Struct`: any JSON object. The numbers are those of google/protobuf/struct.proto:
 * Struct {1: map<string, Value>}, ListValue {1: repeated Value},
 * Value {1: null, 2: number, 3: string, 4: bool, 5: Struct, 6: ListValue}.
 */

/** What a google.protobuf.Value can hold. Objects have no prototype, so that any name is just a name. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/**
 * `google.protobuf.Struct` → object.
 * @throws MalformedMessage, also for a field of a wrong wire type
 */
export function readStruct(wire: Uint8Array): { [name: string]: JsonValue } {
  return readMembers(wire, 0, { nodes: 0 });
}

/** Counts the values of one Struct: their number is bounded before anything is made of them. */
interface Budget {
  nodes: number;
}

function readMembers(wire: Uint8Array, depth: number, budget: Budget): { [name: string]: JsonValue } {
  const object: { [name: string]: JsonValue } = Object.create(null);
  for (const field of wireFields(wire)) {
    if (field.number !== 1) continue;
    const entry = contentOf(wire, field);
    let name = '';
    let value: JsonValue = null;
    for (const part of wireFields(entry)) {
      if (part.number === 1) name = contentOf(entry, part).toString();
      else if (part.number === 2) value = readValue(contentOf(entry, part), depth + 1, budget);
    }
    object[name] = value;
  }
  return object;
}

function readValue(wire: Buffer, depth: number, budget: Budget): JsonValue {
  if (depth > limits.maxDepth) throw new MalformedMessage(`a Struct nests deeper than ${limits.maxDepth}`);
  if (++budget.nodes > limits.maxNodes)
    throw new MalformedMessage(`a Struct has more than ${limits.maxNodes} values`);
  let value: JsonValue = null;
  for (const field of wireFields(wire)) {
    if (field.number === 1) {
      contentOf(wire, field, WireType.VARINT);
      value = null;
    } else if (field.number === 2) value = contentOf(wire, field, WireType.FIXED64).readDoubleLE();
    else if (field.number === 3) value = contentOf(wire, field).toString();
    else if (field.number === 4)
      value = new WireReader(contentOf(wire, field, WireType.VARINT)).uint64() !== 0n;
    else if (field.number === 5) value = readMembers(contentOf(wire, field), depth + 1, budget);
    else if (field.number === 6) value = readList(contentOf(wire, field), depth + 1, budget);
  }
  return value;
}

function readList(wire: Buffer, depth: number, budget: Budget): JsonValue[] {
  return [...wireFields(wire)]
    .filter(field => field.number === 1)
    .map(field => readValue(contentOf(wire, field), depth, budget));
}

function contentOf(wire: Uint8Array, field: WireField, wireType: number = WireType.BYTES): Buffer {
  if (field.wireType !== wireType) throw new MalformedMessage('a Struct has a field of a wrong wire type');
  return Buffer.from(wire.buffer, wire.byteOffset + field.valueStart, field.end - field.valueStart);
}

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what RFC 3339 and google.protobuf.Timestamp can hold. */
const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;

/**
 * `google.protobuf.Timestamp` as RFC 3339 in UTC with 0, 3, 6 or 9 digits of a second, as many as it needs.
 * Source: https://protobuf.dev/programming-guides/json/
 * @param seconds since 1970
 * @param nanos 0 to 999,999,999
 * @returns undefined when it is out of that type's range
 */
export function timestampToText(seconds: bigint, nanos: number): string | undefined {
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  const digits = String(nanos).padStart(9, '0');
  const needed = digits.endsWith('000000') ? 3 : digits.endsWith('000') ? 6 : 9;
  return `${whole}.${digits.slice(0, needed)}Z`;
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * RFC 3339 → seconds and nanoseconds.
 * @returns undefined when the text is not such a time
 */
export function textToTimestamp(text: string): { seconds: bigint; nanos: number } | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  const offsetSeconds = sign
    ? (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -60 : 60)
    : 0;
  const seconds = BigInt(milliseconds / 1000 - offsetSeconds);
  if (seconds < firstSecond || seconds > lastSecond) return undefined;
  return { seconds, nanos: Number(fraction.padEnd(9, '0')) };
}
