export { createFileDescriptors, type FileDescriptor, type FileDescriptors } from './file-descriptors.ts';
export { jsonToWire } from './json-to-wire.ts';
export type * from './messages.gen.ts';
export { decodeMessage, encodeMessage, type Partially } from './messages.ts';
export { parseBoolean, writeTextField } from './parse-scalar.ts';
export { type JsonValue, readStruct } from './read-struct.ts';
export {
  type EnumType,
  enumType,
  type Field,
  type HttpBinding,
  type Idempotency,
  type MessageType,
  type Method,
  messageType,
  type ScalarType,
  type Service,
  service,
} from './schema.ts';
export { MalformedMessage, type WireField, WireReader, WireType, wireFields } from './wire-format.ts';
export { wireToJson } from './wire-to-json.ts';
export { WireWriter } from './wire-writer.ts';
