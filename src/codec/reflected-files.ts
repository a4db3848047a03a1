import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Type } from 'protobufjs';
import type descriptor from 'protobufjs/ext/descriptor/index.js';
import { protoFiles, protoFolder } from './schema.ts';

/** A file of the contract as gRPC's server reflection hands it out: proto-loader makes one of each package. */
export interface ReflectedFile {
  readonly name: string;
  /** google.protobuf.FileDescriptorProto in wire format. */
  readonly bytes: Buffer;
  readonly dependencies: readonly string[];
}

export interface ReflectedFiles {
  readonly byName: ReadonlyMap<string, ReflectedFile>;
  /** Full names of messages, enums, services and methods → the file that has them. */
  readonly bySymbol: ReadonlyMap<string, ReflectedFile>;
}

type Message = descriptor.IDescriptorProto;
type Field = descriptor.IFieldDescriptorProto;
interface File extends descriptor.IFileDescriptorProto {
  messageType: Message[];
  enumType: descriptor.IEnumDescriptorProto[];
  service: descriptor.IServiceDescriptorProto[];
}

/**
 * The files of the contract by proto-loader, and what their readers need besides: proto-loader leaves the imports out,
 * shortens the names of types, and calls map entries by another name than protoc does, so that grpcurl and its like
 * refuse to link its files. What only annotations need is left out.
 */
export async function createReflectedFiles(): Promise<ReflectedFiles> {
  // here, since few clients ask
  const { loadSync } = await import('@grpc/proto-loader');
  const { FileDescriptorProto } = (await import('protobufjs/ext/descriptor/index.js')).default;
  const googleFolder = dirname(fileURLToPath(import.meta.resolve('protobufjs/package.json')));
  const contract = loadSync(protoFiles, { keepCase: true, includeDirs: [protoFolder, googleFolder] });
  const files = decodeFiles(contract, FileDescriptorProto);
  const symbols = new Map<string, File>();
  for (const file of files) for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
  const used = new Map<File, Set<string>>();
  const use = (reference: string): string => {
    const file = symbols.get(reference);
    if (!file) throw new Error(`${reference} is in no file`);
    const [top] = reference.slice(`${file.package}.`.length).split('.');
    const names = used.get(file) ?? new Set();
    used.set(file, names);
    if (!names.has(top!)) {
      names.add(top!);
      linkTop(file, top!, symbols, use);
    }
    return file.name!;
  };
  for (const file of files) for (const { name } of file.service) use(`${file.package}.${name}`);
  const byName = new Map<string, ReflectedFile>();
  const bySymbol = new Map<string, ReflectedFile>();
  for (const [file, names] of used) {
    const written = writeFile(file, names, FileDescriptorProto);
    byName.set(written.name, written);
    for (const [symbol, owner] of symbols) if (owner === file) bySymbol.set(symbol, written);
  }
  return { byName, bySymbol };
}

function decodeFiles(contract: PackageDefinition, type: Type): File[] {
  const [any] = Object.values(contract).filter(one => 'fileDescriptorProtos' in one);
  const protos = any ? (any.fileDescriptorProtos as Buffer[]) : [];
  return protos.map(bytes => type.decode(bytes) as descriptor.IFileDescriptorProto as File);
}

function symbolsOf(file: File): string[] {
  const within = (scope: string, types: readonly Message[]): string[] =>
    types.flatMap(type => {
      const name = `${scope}.${type.name}`;
      return [
        name,
        ...within(name, type.nestedType ?? []),
        ...(type.enumType ?? []).map(e => `${name}.${e.name}`),
      ];
    });
  return [
    ...within(file.package!, file.messageType),
    ...file.enumType.map(({ name }) => `${file.package}.${name}`),
    ...file.service.flatMap(({ name, method }) => [
      `${file.package}.${name}`,
      ...(method ?? []).map(one => `${file.package}.${name}.${one.name}`),
    ]),
  ];
}

/** Completes what refers to other types in one definition of a file, and uses those types. */
function linkTop(
  file: File,
  top: string,
  symbols: ReadonlyMap<string, File>,
  use: (name: string) => string,
): void {
  file.dependency ??= [];
  const refer = (scope: string, reference: string): string => {
    const full = fullName(scope, reference, symbols);
    const name = use(full);
    if (name !== file.name && !file.dependency?.includes(name)) file.dependency?.push(name);
    return `.${full}`;
  };
  const link = (scope: string, type: Message): void => {
    const name = `${scope}.${type.name}`;
    for (const field of type.field ?? []) {
      if (field.typeName) field.typeName = refer(name, field.typeName);
      nameMapEntry(name, type, field);
    }
    for (const nested of type.nestedType ?? []) link(name, nested);
  };
  for (const type of file.messageType) if (type.name === top) link(file.package!, type);
  for (const { name, method } of file.service) {
    if (name !== top) continue;
    for (const one of method ?? []) {
      one.inputType = refer(file.package!, one.inputType!);
      one.outputType = refer(file.package!, one.outputType!);
    }
  }
}

/** The innermost type of that name, as .proto files resolve names. */
function fullName(scope: string, reference: string, symbols: ReadonlyMap<string, File>): string {
  if (reference.startsWith('.')) return reference.slice(1);
  const parts = scope.split('.');
  for (let length = parts.length; length >= 0; length--) {
    const name = [...parts.slice(0, length), reference].join('.');
    if (symbols.has(name)) return name;
  }
  return reference;
}

/** `annotations` → `AnnotationsEntry`, the name that protoc gives a map's message. */
function nameMapEntry(scope: string, type: Message, field: Field): void {
  const entry = type.nestedType?.find(
    ({ name, options }) => options?.mapEntry && field.typeName === `.${scope}.${name}`,
  );
  if (!entry) return;
  const words = field.name!.split('_').map(word => word.charAt(0).toUpperCase() + word.slice(1));
  entry.name = `${words.join('')}Entry`;
  field.typeName = `.${scope}.${entry.name}`;
}

function writeFile(file: File, names: ReadonlySet<string>, type: Type): ReflectedFile {
  const isUsed = ({ name }: { name?: string | null }) => names.has(name ?? '');
  const kept = {
    ...file,
    dependency: [...(file.dependency ?? [])].sort(),
    messageType: file.messageType.filter(isUsed),
    enumType: file.enumType.filter(isUsed),
    service: file.service.filter(isUsed),
  };
  const bytes = type.encode(kept as unknown as Record<string, unknown>).finish();
  return { name: file.name!, bytes: Buffer.from(bytes), dependencies: kept.dependency };
}
