import { relative } from 'node:path';
import protobuf from 'protobufjs';
import { protoFolder, protoRoot } from './schema.ts';
import { WireType } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

/** A .proto file of the contract as gRPC's server reflection hands it out. */
export interface FileDescriptor {
  readonly name: string;
  /** google.protobuf.FileDescriptorProto in wire format. */
  readonly bytes: Buffer;
  readonly dependencies: readonly string[];
}

export interface FileDescriptors {
  readonly byName: ReadonlyMap<string, FileDescriptor>;
  /** Full names of messages, enums, services and methods → the file that has them. */
  readonly bySymbol: ReadonlyMap<string, FileDescriptor>;
}

/*
 * protobufjs can write descriptors too, but one file a package, without dependencies and with map entries named its own
 * way, which grpcurl and its like refuse to link. Numbers: google/protobuf/descriptor.proto.
 */
const file = {
  name: 1,
  package: 2,
  dependency: 3,
  message: 4,
  enumeration: 5,
  service: 6,
  syntax: 12,
} as const;
const message = { name: 1, field: 2, nested: 3, enumeration: 4, options: 7 } as const;
const fieldNumbers = {
  name: 1,
  number: 3,
  label: 4,
  type: 5,
  typeName: 6,
  oneofIndex: 9,
  jsonName: 10,
} as const;
const label = { optional: 1, repeated: 3 } as const;
const fieldType: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const messageType = 11;
const enumType = 14;

/** The contract's files, with those of google.protobuf that they use. Made when reflection is first asked for. */
export function createFileDescriptors(): FileDescriptors {
  const files = new Map<string, protobuf.ReflectionObject[]>();
  collect(protoRoot, files);
  const byName = new Map<string, FileDescriptor>();
  const bySymbol = new Map<string, FileDescriptor>();
  for (const [name, objects] of files) {
    const dependencies = [...new Set(objects.flatMap(referencesOf).map(fileOf))]
      .filter(other => other !== name)
      .sort();
    const descriptor = { name, bytes: writeFile(name, objects, dependencies), dependencies };
    byName.set(name, descriptor);
    for (const symbol of objects.flatMap(symbolsOf)) bySymbol.set(symbol, descriptor);
  }
  return { byName, bySymbol };
}

/** Types and services on the top level, by file. What only annotations need stays out: no option is handed out. */
function collect(namespace: protobuf.NamespaceBase, files: Map<string, protobuf.ReflectionObject[]>): void {
  for (const object of namespace.nestedArray) {
    const isDefinition =
      object instanceof protobuf.Type ||
      object instanceof protobuf.Enum ||
      object instanceof protobuf.Service;
    if (isDefinition && fileOf(object) !== '')
      files.set(fileOf(object), [...(files.get(fileOf(object)) ?? []), object]);
    else if (!isDefinition && object instanceof protobuf.Namespace) collect(object, files);
  }
}

/** protobufjs carries the well-known types inside, without their files. */
const wellKnownFiles: Readonly<Record<string, string>> = {
  Any: 'any',
  Timestamp: 'timestamp',
  Struct: 'struct',
  Value: 'struct',
  ListValue: 'struct',
  NullValue: 'struct',
};

function fileOf(object: protobuf.ReflectionObject): string {
  let top = object;
  while (top.parent instanceof protobuf.Type) top = top.parent;
  if (!top.filename) return `google/protobuf/${wellKnownFiles[top.name]}.proto`;
  const name = relative(protoFolder, top.filename);
  return name.startsWith('..') ? '' : name;
}

function referencesOf(object: protobuf.ReflectionObject): protobuf.ReflectionObject[] {
  if (object instanceof protobuf.Type) {
    const own = object.fieldsArray.map(field => field.resolve().resolvedType);
    return [...own.filter(type => type !== null), ...object.nestedArray.flatMap(referencesOf)];
  }
  if (!(object instanceof protobuf.Service)) return [];
  return object.methodsArray.flatMap(method => {
    method.resolve();
    return [method.resolvedRequestType, method.resolvedResponseType].filter(type => type !== null);
  });
}

function symbolsOf(object: protobuf.ReflectionObject): string[] {
  const name = object.fullName.slice(1);
  if (object instanceof protobuf.Service)
    return [name, ...object.methodsArray.map(method => `${name}.${method.name}`)];
  return object instanceof protobuf.Type ? [name, ...object.nestedArray.flatMap(symbolsOf)] : [name];
}

function writeFile(
  name: string,
  objects: readonly protobuf.ReflectionObject[],
  dependencies: readonly string[],
): Buffer {
  const out = new WireWriter(4096).stringField(file.name, name);
  out.stringField(file.package, objects[0]?.parent?.fullName.slice(1) ?? '');
  for (const dependency of dependencies) out.stringField(file.dependency, dependency);
  for (const object of objects) {
    if (object instanceof protobuf.Type) out.bytesField(file.message, writeMessage(object));
    else if (object instanceof protobuf.Enum) out.bytesField(file.enumeration, writeEnum(object));
    else if (object instanceof protobuf.Service) out.bytesField(file.service, writeService(object));
  }
  return out.stringField(file.syntax, 'proto3').finish();
}

function writeMessage(type: protobuf.Type): Buffer {
  const out = new WireWriter().stringField(message.name, type.name);
  for (const field of type.fieldsArray) out.bytesField(message.field, writeField(field, type));
  for (const nested of type.nestedArray) {
    if (nested instanceof protobuf.Type) out.bytesField(message.nested, writeMessage(nested));
    if (nested instanceof protobuf.Enum) out.bytesField(message.enumeration, writeEnum(nested));
  }
  for (const field of type.fieldsArray) if (field.map) out.bytesField(message.nested, writeMapEntry(field));
  for (const oneof of type.oneofsArray)
    out.bytesField(8, new WireWriter().stringField(1, oneof.name).finish());
  return out.finish();
}

function writeField(field: protobuf.Field, parent: protobuf.Type): Buffer {
  const out = new WireWriter()
    .stringField(fieldNumbers.name, field.name)
    .intField(fieldNumbers.number, field.id)
    .intField(fieldNumbers.label, field.repeated || field.map ? label.repeated : label.optional);
  if (field.map) {
    out.intField(fieldNumbers.type, messageType);
    out.stringField(fieldNumbers.typeName, `${parent.fullName}.${entryName(field)}`);
  } else {
    writeType(out, field);
  }
  if (field.partOf)
    out.tag(fieldNumbers.oneofIndex, WireType.VARINT).uint32(parent.oneofsArray.indexOf(field.partOf));
  return out.finish();
}

function writeType(out: WireWriter, field: protobuf.Field): void {
  const { resolvedType } = field;
  if (resolvedType) {
    out.intField(fieldNumbers.type, resolvedType instanceof protobuf.Enum ? enumType : messageType);
    out.stringField(fieldNumbers.typeName, resolvedType.fullName);
  } else {
    out.intField(fieldNumbers.type, fieldType[field.type] ?? 0);
  }
}

/** `annotations` → `AnnotationsEntry`, the name that protoc gives a map's message. */
function entryName(field: protobuf.Field): string {
  const words = field.name.split('_').map(word => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Entry`;
}

function writeMapEntry(field: protobuf.Field): Buffer {
  const key = new WireWriter().stringField(fieldNumbers.name, 'key').intField(fieldNumbers.number, 1);
  key.intField(fieldNumbers.label, label.optional).intField(fieldNumbers.type, fieldType.string ?? 0);
  const value = new WireWriter().stringField(fieldNumbers.name, 'value').intField(fieldNumbers.number, 2);
  writeType(value.intField(fieldNumbers.label, label.optional), field);
  const mapEntry = new WireWriter().boolField(7, true);
  return new WireWriter()
    .stringField(message.name, entryName(field))
    .bytesField(message.field, key.finish())
    .bytesField(message.field, value.finish())
    .bytesField(message.options, mapEntry.finish())
    .finish();
}

function writeEnum(type: protobuf.Enum): Buffer {
  const out = new WireWriter().stringField(1, type.name);
  for (const [name, number] of Object.entries(type.values)) {
    // The number stands even where it is 0: readers take a value without one for incomplete.
    out.bytesField(
      2,
      new WireWriter().stringField(1, name).tag(2, WireType.VARINT).int64(BigInt(number)).finish(),
    );
  }
  return out.finish();
}

function writeService(service: protobuf.Service): Buffer {
  const out = new WireWriter().stringField(1, service.name);
  for (const method of service.methodsArray) {
    method.resolve();
    const { resolvedRequestType, resolvedResponseType, responseStream } = method;
    const written = new WireWriter()
      .stringField(1, method.name)
      .stringField(2, resolvedRequestType?.fullName ?? '')
      .stringField(3, resolvedResponseType?.fullName ?? '')
      .boolField(6, responseStream === true);
    out.bytesField(2, written.finish());
  }
  return out.finish();
}
