import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';

/** Which Helm keeps a record: Helm 2's Tiller, or Helm 3 and 4. */
export type Storage = 'helm2' | 'helm3';

/** The part of a ConfigMap or Secret that is read. */
export interface RecordObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

export type RecordResource = 'configmaps' | 'secrets';

/** How large a release may unpack to. etcd takes 1.5 MiB, so that only a bomb unpacks to more. */
const maxReleaseBytes = 32 * 1024 * 1024;

/** Below this size unpacking takes less time than handing it to another thread. */
const syncBytes = 16 * 1024;

const gunzipAsync = promisify(gunzip);

/** The pieces in which a record is unpacked: one, where its last bytes tell its size (RFC 1952). */
function chunkSizeOf(packed: Buffer): number {
  const size = packed.length >= 4 ? packed.readUInt32LE(packed.length - 4) : 0;
  return Math.min(Math.max(size + 1024, 16 * 1024), 512 * 1024);
}

/**
 * The content of a record: a `hapi.release.Release` for Helm 2, JSON for Helm 3. A Secret has its base64 twice, once by
 * the API and once by Helm.
 * @throws GatewayError INVALID_ARGUMENT that says what is wrong with it
 */
export async function unpackRecord(object: RecordObject, resource: RecordResource): Promise<Buffer> {
  const text = object.data?.release;
  if (typeof text !== 'string') throw invalidArgument('data.release is missing');
  const inner = resource === 'secrets' ? Buffer.from(text, 'base64').toString('latin1') : text;
  const packed = Buffer.from(inner, 'base64');
  // records of Tillers before 2.0 were not compressed, and Tiller still reads them
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  try {
    const options = { maxOutputLength: maxReleaseBytes, chunkSize: chunkSizeOf(packed) };
    return packed.length < syncBytes ? gunzipSync(packed, options) : await gunzipAsync(packed, options);
  } catch (cause) {
    const isLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw invalidArgument(
      isLarge ? 'data.release unpacks to more than 32 MiB' : 'data.release is no whole gzip stream',
      { cause },
    );
  }
}

/** Why a record cannot be read, for logs and reports: a text of bounded length. */
export function faultOf(error: unknown): string {
  return GatewayError.from(error).message.slice(0, 200);
}
