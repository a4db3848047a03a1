export { jsonToWire } from './json-to-wire.ts';
export { decodeMessage, encodeMessage, type Partially } from './messages.ts';
export { parseBoolean, writeTextField } from './parse-scalar.ts';
export {
  type EnumType,
  type Field,
  type HttpBinding,
  type MessageType,
  type Method,
  messageType,
  type Service,
  service,
} from './schema.ts';
export { MalformedMessage, type WireField, WireReader, WireType, wireFields } from './wire-format.ts';
export { wireToJson } from './wire-to-json.ts';
export { WireWriter } from './wire-writer.ts';
