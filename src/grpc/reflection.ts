import {
  createReflectedFiles,
  type ReflectedFile,
  type ReflectedFiles,
  WireType,
  WireWriter,
  wireFields,
} from '../codec/index.ts';
import { Code } from '../protocol/index.ts';
import type { CallHandler } from './call.ts';
import type { ServerCall } from './server-call.ts';

/*
 * grpc.reflection.v1 and v1alpha, which have the same messages. Numbers:
 * https://github.com/grpc/grpc-proto/blob/master/grpc/reflection/v1/reflection.proto
 */
const request = { fileByName: 3, fileBySymbol: 4, listServices: 7 } as const;
const response = { validHost: 1, original: 2, files: 4, services: 6, error: 7 } as const;

export const reflectionServices = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const;

/** Far more than a client asks for on one stream. */
const maxRequests = 10_000;

/** Far longer than any name. A call may hold as much without being counted. */
const maxRequestBytes = 16 * 1024;

/** Server reflection: what grpcurl and its like need to call the services without their .proto files. */
export function reflectionHandlers(services: readonly string[]): [string, CallHandler<ServerCall>][] {
  let descriptors: Promise<ReflectedFiles> | undefined;
  const handler: CallHandler<ServerCall> = async call => {
    descriptors ??= createReflectedFiles();
    const files = await descriptors;
    let count = 0;
    for await (const message of call.requests(maxRequestBytes)) {
      await call.send(answer(message, files, services));
      if (++count === maxRequests) break;
    }
    return Code.OK;
  };
  return reflectionServices.map(name => [`/${name}/ServerReflectionInfo`, handler]);
}

function answer(message: Buffer, descriptors: ReflectedFiles, services: readonly string[]): Buffer {
  const out = new WireWriter(1024).bytesField(response.original, message);
  const asked = [...wireFields(message)].findLast(
    field => field.number >= request.fileByName && field.number <= request.listServices,
  );
  const text =
    asked?.wireType === WireType.BYTES ? message.toString('utf8', asked.valueStart, asked.end) : '';
  const list = new WireWriter();
  switch (asked?.number) {
    case request.listServices:
      for (const name of services) list.bytesField(1, new WireWriter().stringField(1, name).finish());
      return out.bytesField(response.services, list.finish()).finish();
    case request.fileByName:
      return writeFiles(out, descriptors, descriptors.byName.get(text), `file ${text}`);
    case request.fileBySymbol:
      return writeFiles(out, descriptors, descriptors.bySymbol.get(text), `symbol ${text}`);
    default:
      return writeNotFound(out, 'proto3 has no extensions');
  }
}

/** A file with everything it depends on, so that the client need not ask again. */
function writeFiles(
  out: WireWriter,
  descriptors: ReflectedFiles,
  file: ReflectedFile | undefined,
  what: string,
): Buffer {
  if (!file) return writeNotFound(out, `${what.slice(0, 200)} is not known`);
  const files = new Set<ReflectedFile>([file]);
  for (const { dependencies } of files) {
    for (const name of dependencies) {
      const dependency = descriptors.byName.get(name);
      if (dependency) files.add(dependency);
    }
  }
  const list = new WireWriter(8192);
  for (const { bytes } of files) list.bytesField(1, bytes);
  return out.bytesField(response.files, list.finish()).finish();
}

function writeNotFound(out: WireWriter, message: string): Buffer {
  const error = new WireWriter().intField(1, Code.NOT_FOUND).stringField(2, message).finish();
  return out.bytesField(response.error, error).finish();
}
