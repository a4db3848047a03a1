import type { JsonWriter } from './json-writer.ts';
import type { EnumType, ScalarType } from './schema.ts';
import { type WireReader, WireType } from './wire-format.ts';

/** Reads one scalar value and writes its JSON. */
export type WriteScalar = (reader: WireReader, out: JsonWriter) => void;

const view = new DataView(new ArrayBuffer(8));

/** Copies 8 bytes into `view` and moves on. */
function fixed64(reader: WireReader): DataView {
  const start = reader.take(8);
  for (let index = 0; index < 8; index++) view.setUint8(index, reader.bytes[start + index]!);
  return view;
}

function fixed32(reader: WireReader): DataView {
  const start = reader.take(4);
  for (let index = 0; index < 4; index++) view.setUint8(index, reader.bytes[start + index]!);
  return view;
}

/** A 64-bit integer as a JSON string; small ones, which nearly all are, without a bigint. */
function writeInt64(reader: WireReader, out: JsonWriter): void {
  if (reader.position < reader.end && reader.bytes[reader.position]! < 0x80) {
    out.ascii(`"${reader.bytes[reader.position++]!}"`);
  } else {
    out.ascii(`"${BigInt.asIntN(64, reader.uint64())}"`);
  }
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

/** JSON has no NaN and no infinities: they are strings. Source: https://protobuf.dev/programming-guides/json/ */
function writeFloat(value: number, out: JsonWriter): void {
  out.ascii(Number.isFinite(value) ? String(value) : `"${String(value)}"`);
}

function writeString(reader: WireReader, out: JsonWriter): void {
  const end = reader.lengthEnd();
  out.utf8String(reader.bytes, reader.position, end);
  reader.position = end;
}

function writeBytes(reader: WireReader, out: JsonWriter): void {
  const end = reader.lengthEnd();
  out.base64String(reader.bytes, reader.position, end);
  reader.position = end;
}

export const scalarWriters: Readonly<Record<ScalarType, WriteScalar>> = {
  int32: (reader, out) => out.ascii(String(reader.uint32() | 0)),
  uint32: (reader, out) => out.ascii(String(reader.uint32())),
  sint32: (reader, out) => out.ascii(String(Number(BigInt.asIntN(32, zigzag(reader.uint64()))))),
  int64: writeInt64,
  uint64: (reader, out) => out.ascii(`"${reader.uint64()}"`),
  sint64: (reader, out) => out.ascii(`"${BigInt.asIntN(64, zigzag(reader.uint64()))}"`),
  fixed32: (reader, out) => out.ascii(String(fixed32(reader).getUint32(0, true))),
  sfixed32: (reader, out) => out.ascii(String(fixed32(reader).getInt32(0, true))),
  fixed64: (reader, out) => out.ascii(`"${fixed64(reader).getBigUint64(0, true)}"`),
  sfixed64: (reader, out) => out.ascii(`"${fixed64(reader).getBigInt64(0, true)}"`),
  float: (reader, out) => writeFloat(fixed32(reader).getFloat32(0, true), out),
  double: (reader, out) => writeFloat(fixed64(reader).getFloat64(0, true), out),
  bool: (reader, out) => out.ascii(reader.uint64() === 0n ? 'false' : 'true'),
  string: writeString,
  bytes: writeBytes,
};

/** An enum by name; a number that has none, from a newer Tiller, as the number. */
export function enumWriter(type: EnumType): WriteScalar {
  return (reader, out) => {
    const number = reader.uint32() | 0;
    const name = type.names.get(number);
    out.ascii(name === undefined ? String(number) : `"${name}"`);
  };
}

/** Whether the value that comes next, of that wire type, is its type's default: all zeros or empty. */
export function isDefaultNext(reader: WireReader, wireType: number): boolean {
  const { bytes, position } = reader;
  if (wireType === WireType.VARINT || wireType === WireType.BYTES) return bytes[position] === 0;
  const count = wireType === WireType.FIXED64 ? 8 : 4;
  for (let index = 0; index < count; index++) if (bytes[position + index] !== 0) return false;
  return true;
}
