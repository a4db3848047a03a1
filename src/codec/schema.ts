import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type protobuf from 'protobufjs';
import { invalidArgument } from '../protocol/index.ts';
import type { MessageTypes } from './messages.gen.ts';
import { WireType } from './wire-format.ts';

/** The scalar types of protobuf's language, and how their values stand on the wire. */
const scalarWireTypes = {
  int32: WireType.VARINT,
  uint32: WireType.VARINT,
  sint32: WireType.VARINT,
  int64: WireType.VARINT,
  uint64: WireType.VARINT,
  sint64: WireType.VARINT,
  bool: WireType.VARINT,
  fixed32: WireType.FIXED32,
  sfixed32: WireType.FIXED32,
  float: WireType.FIXED32,
  fixed64: WireType.FIXED64,
  sfixed64: WireType.FIXED64,
  double: WireType.FIXED64,
  string: WireType.BYTES,
  bytes: WireType.BYTES,
} as const;

export type ScalarType = keyof typeof scalarWireTypes;

/** A field of a message, as the codec and the REST front need to know it. */
export interface Field {
  readonly number: number;
  /** The name in the .proto file, which is also the JSON name that is written. */
  readonly name: string;
  /** The lowerCamelCase spelling, which is read as well. */
  readonly camelName: string;
  readonly type: ScalarType | MessageType | EnumType;
  readonly repeated: boolean;
  /** For `map<string, V>`: the entry message's value field is `type`; keys are strings in all of this contract. */
  readonly map: boolean;
  /** The wire type of one value; a map's value is an entry message. */
  readonly wireType: number;
  /** A repeated field of numbers may come packed: many values in one length-delimited one. */
  readonly packable: boolean;
  readonly comment: string;
}

export interface MessageType {
  readonly kind: 'message';
  readonly name: string;
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  /** By both spellings. */
  readonly byName: ReadonlyMap<string, Field>;
  readonly comment: string;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
}

/** One REST route of a method, from its `google.api.http` annotation. */
export interface HttpBinding {
  readonly verb: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';
  readonly path: string;
  /** True where the JSON body is the request message (`body: "*"`). */
  readonly body: boolean;
}

/** `idempotency_level` of google.protobuf.MethodOptions; UNKNOWN may change something and is never sent twice. */
export type Idempotency = 'UNKNOWN' | 'NO_SIDE_EFFECTS' | 'IDEMPOTENT';

export interface Method {
  readonly name: string;
  /** Its path in gRPC: `/SERVICE/NAME`. */
  readonly path: string;
  readonly idempotency: Idempotency;
  readonly request: MessageType;
  readonly response: MessageType;
  readonly serverStreaming: boolean;
  readonly bindings: readonly HttpBinding[];
  readonly comment: string;
}

/** Whether calls of a method change nothing, and may be sent again. */
export function isReadOnly({ idempotency }: Method): boolean {
  return idempotency === 'NO_SIDE_EFFECTS';
}

export interface Service {
  readonly name: string;
  readonly methods: readonly Method[];
}

/** `proto/` stands beside `src/` in the checkout and beside `dist/` in the package. */
export const protoFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'proto');

/** The files that, with what they import, are the whole contract. */
export const protoFiles = ['swift/v2/release.proto', 'swift/v2/chart.proto', 'hapi/services/tiller.proto'];

let knownRoot: protobuf.Root | undefined;

/**
 * The contract as protobufjs reflects it; read when something is first looked up in it, which not every thread does.
 * Comments are kept: they become the descriptions in the OpenAPI document. Left out is `google/api`, what annotations may
 * hold: it would have each start and each thread read descriptor.proto.
 */
export function protoRoot(): protobuf.Root {
  if (knownRoot) return knownRoot;
  const { Root } = createRequire(import.meta.url)('protobufjs') as typeof protobuf;
  const root = new Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/api/') ? null : join(protoFolder, target);
  knownRoot = root.loadSync(protoFiles, { keepCase: true, alternateCommentMode: true });
  return knownRoot;
}

const messages = new Map<string, MessageType>();
const enums = new Map<string, EnumType>();

/**
 * The message type of that full name (`hapi.release.Release`).
 * @throws Error when the contract has no such message
 */
export function messageType(name: string): MessageType {
  const known = messages.get(name);
  if (known) return known;
  const { fieldsArray, comment } = protoRoot().lookupType(name);
  const fields: Field[] = [];
  const byNumber = new Map<number, Field>();
  const byName = new Map<string, Field>();
  const type: MessageType = { kind: 'message', name, fields, byNumber, byName, comment: comment ?? '' };
  // types may be recursive (a chart holds charts), so the entry is made before its fields
  messages.set(name, type);
  for (const source of fieldsArray) {
    const field = toField(source);
    fields.push(field);
    byNumber.set(field.number, field);
    byName.set(field.camelName, field).set(field.name, field);
  }
  return type;
}

/**
 * The enum of that full name (`hapi.release.Status.Code`).
 * @throws Error when the contract has no such enum
 */
export function enumType(name: string): EnumType {
  const known = enums.get(name);
  if (known) return known;
  const entries = Object.entries(protoRoot().lookupEnum(name).values);
  const names = new Map(entries.map(([name, number]) => [number, name]));
  const type: EnumType = { kind: 'enum', name, numbers: new Map(entries), names };
  enums.set(name, type);
  return type;
}

/**
 * The service of that full name, its methods in the order of the .proto file.
 * @throws Error when the contract has no such service
 */
export function service(name: string): Service {
  const source = protoRoot().lookupService(name);
  return { name, methods: source.methodsArray.map(toMethod) };
}

/** The services of a package, in the order of `protoFiles`: each that is in the contract is served. */
export function servicesOf(packageName: string): Service[] {
  const { nestedArray } = protoRoot().lookup(packageName) as protobuf.Namespace;
  return nestedArray.flatMap(one => ('methods' in one ? [service(`${packageName}.${one.name}`)] : []));
}

function toMethod(source: protobuf.Method): Method {
  source.resolve();
  if (!source.resolvedRequestType || !source.resolvedResponseType)
    throw new Error(`unresolved: ${source.name}`);
  return {
    name: source.name,
    path: `/${source.parent?.fullName.slice(1)}/${source.name}`,
    idempotency: toIdempotency(source),
    request: messageType(nameOf(source.resolvedRequestType)),
    response: messageType(nameOf(source.resolvedResponseType)),
    serverStreaming: source.responseStream === true,
    bindings: toBindings(source),
    comment: source.comment ?? '',
  };
}

function toIdempotency(method: protobuf.Method): Idempotency {
  const level: unknown = method.options?.idempotency_level ?? 'UNKNOWN';
  if (level === 'UNKNOWN' || level === 'NO_SIDE_EFFECTS' || level === 'IDEMPOTENT') return level;
  throw new Error(`${method.name}: idempotency_level ${level} does not exist`);
}

const verbs = ['get', 'put', 'post', 'delete', 'patch'] as const;

type HttpRule = Partial<Record<(typeof verbs)[number] | 'body', string>> & {
  additional_bindings?: HttpRule | HttpRule[];
};

function toBindings(method: protobuf.Method): HttpBinding[] {
  const options: Record<string, HttpRule>[] = method.parsedOptions ?? [];
  const rule = options.map(option => option['(google.api.http)']).find(found => found !== undefined);
  if (!rule) return [];
  const more = rule.additional_bindings ?? [];
  return [rule, ...(Array.isArray(more) ? more : [more])].map(toBinding);
}

function toBinding(rule: HttpRule): HttpBinding {
  for (const verb of verbs) {
    const path = rule[verb];
    if (path) return { verb: verb.toUpperCase() as HttpBinding['verb'], path, body: rule.body === '*' };
  }
  throw new Error('a google.api.http rule without a verb');
}

function nameOf({ fullName }: protobuf.ReflectionObject): string {
  return fullName.slice(1);
}

function toField(source: protobuf.Field): Field {
  source.resolve();
  const resolved = source.resolvedType;
  const isMessage = resolved !== null && 'fields' in resolved;
  const scalar = source.type as ScalarType;
  const wireType =
    source.map || isMessage ? WireType.BYTES : resolved ? WireType.VARINT : scalarWireTypes[scalar];
  return {
    number: source.id,
    name: source.name,
    camelName: source.name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase()),
    type: isMessage ? messageType(nameOf(resolved)) : resolved ? enumType(nameOf(resolved)) : scalar,
    repeated: source.repeated,
    map: source.map,
    wireType,
    packable: source.repeated && wireType !== WireType.BYTES,
    comment: source.comment ?? '',
  };
}

export function acceptsWireType(field: Field, wireType: number): boolean {
  return wireType === field.wireType || (field.packable && wireType === WireType.BYTES);
}

/** Every field optional, at every depth: what may be encoded. */
export type Partially<T> = T extends Uint8Array
  ? T
  : T extends (infer Item)[]
    ? readonly Partially<Item>[]
    : T extends object
      ? { [Key in keyof T]?: Partially<T[Key]> | undefined }
      : T;

const types = new Map<string, protobuf.Type>();

/** Kept by name: protobufjs looks a name up part by part, which takes longer than to decode a small message. */
function typeOf(name: string): protobuf.Type {
  const type = types.get(name) ?? protoRoot().lookupType(name);
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
