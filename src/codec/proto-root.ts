import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** `proto/` stands beside `src/` in the checkout and beside `dist/` in the package. */
export const protoFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'proto');

/** The files that, with what they import, are the whole contract. */
export const protoFiles = ['swift/v2/release.proto', 'hapi/services/tiller.proto'];

/** `google/api` and `google/protobuf` come with protobufjs. */
export const protobufjsFolder = dirname(fileURLToPath(import.meta.resolve('protobufjs/package.json')));

/** Reads the contract. Comments are kept: they become the descriptions in the OpenAPI document. */
function loadProtoRoot(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    join(target.startsWith('google/') ? protobufjsFolder : protoFolder, target);
  root.loadSync(protoFiles, { keepCase: true, alternateCommentMode: true });
  root.resolveAll();
  return root;
}

/** The contract as protobufjs reflects it, loaded once. */
export const protoRoot = loadProtoRoot();
