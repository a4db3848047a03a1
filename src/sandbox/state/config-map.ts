import { promisify } from 'node:util';
import { gunzipSync, gzip, gzipSync } from 'node:zlib';
import { decodeMessage } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { type Revision, releaseToRevision } from './revision.ts';

/** How large a release may unpack to. Tiller takes no message above 20 MiB; rendered manifests come on top. */
const maxReleaseBytes = 64 * 1024 * 1024;

/** Below this size packing takes less time than handing it to another thread. */
const syncBytes = 32 * 1024;

/** A revision as Tiller's default storage driver keeps it: a ConfigMap with the gzipped message in base64. */
export type ReleaseConfigMap = {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMap';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly creationTimestamp: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly data: { readonly release: string };
};

/** @param namespace Tiller's own */
export async function revisionToConfigMap(
  revision: Revision,
  namespace = 'kube-system',
): Promise<ReleaseConfigMap> {
  const { wire } = revision;
  // on another thread where it takes long: 20 MiB take half a second
  const packed = wire.length < syncBytes ? gzipSync(wire) : await promisify(gzip)(wire);
  const { name, version, status, createdAt, modifiedAt } = revision;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: revision.key,
      namespace,
      creationTimestamp: new Date(createdAt * 1000).toISOString().replace('.000Z', 'Z'),
      // Tiller replaces the labels on an update, so that CREATED_AT goes away.
      labels: {
        ...(modifiedAt === undefined ? { CREATED_AT: `${createdAt}` } : { MODIFIED_AT: `${modifiedAt}` }),
        NAME: name,
        OWNER: 'TILLER',
        STATUS: status,
        VERSION: `${version}`,
      },
    },
    data: { release: packed.toString('base64') },
  };
}

/**
 * Reads a ConfigMap of Tiller's, also one taken from a real cluster. What the release itself says counts, not the labels.
 * @throws GatewayError INVALID_ARGUMENT that says what is wrong with it
 */
export function configMapToRevision(configMap: unknown): Revision {
  const { metadata, data } = (configMap ?? {}) as Partial<ReleaseConfigMap>;
  if (typeof data?.release !== 'string') throw invalidArgument('data.release is missing');
  const release = decodeMessage('hapi.release.Release', unpack(data.release));
  const createdAt = Math.floor(Date.parse(metadata?.creationTimestamp ?? '') / 1000);
  const modifiedAt = Number(metadata?.labels?.MODIFIED_AT);
  const revision = releaseToRevision(
    release,
    Number.isNaN(createdAt) ? (release.info?.last_deployed?.seconds ?? 0) : createdAt,
    Number.isSafeInteger(modifiedAt) ? modifiedAt : undefined,
  );
  if (!release.info?.status || !release.chart?.metadata) {
    throw invalidArgument('the release has no info or no chart');
  }
  if (metadata?.name !== undefined && metadata.name !== revision.key) {
    throw invalidArgument(`it is named ${metadata.name} but holds ${revision.key}`);
  }
  return revision;
}

function unpack(base64: string): Buffer {
  const packed = Buffer.from(base64, 'base64');
  try {
    // Releases of Tillers before 2.0 were not compressed, and Tiller still reads them.
    const isGzip = packed[0] === 0x1f && packed[1] === 0x8b;
    return isGzip ? gunzipSync(packed, { maxOutputLength: maxReleaseBytes }) : packed;
  } catch (cause) {
    throw invalidArgument('data.release is no gzip stream, or larger than 64 MiB unpacked', { cause });
  }
}
