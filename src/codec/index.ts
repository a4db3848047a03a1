export { type Copier, createCopier } from './copy-message.ts';
export { JsonReader } from './json-reader.ts';
export { jsonToWire } from './json-to-wire.ts';
export type * from './messages.gen.ts';
export { parseBoolean, writeTextField } from './parse-scalar.ts';
export { createReflectedFiles, type ReflectedFile, type ReflectedFiles } from './reflected-files.ts';
export { rewriteMessage } from './rewrite-message.ts';
export {
  acceptsWireType,
  decodeMessage,
  type EnumType,
  encodeMessage,
  enumType,
  type Field,
  type HttpBinding,
  isReadOnly,
  type MessageType,
  type Method,
  messageType,
  type Partially,
  protoFolder,
  type ScalarType,
  service,
  servicesOf,
} from './schema.ts';
export { readStruct, textToTimestamp } from './well-known.ts';
export {
  lastField,
  limits,
  MalformedMessage,
  type WireField,
  WireReader,
  WireType,
  wireFields,
} from './wire-format.ts';
export { createWireToJson, wireToJson } from './wire-to-json.ts';
export { WireWriter } from './wire-writer.ts';
