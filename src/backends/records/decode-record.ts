import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import {
  createCopier,
  decodeMessage,
  lastField,
  messageType,
  type StatusCode,
  WireWriter,
} from '../../codec/index.ts';
import { GatewayError, invalidArgument, Limiter, unavailable } from '../../protocol/index.ts';
import { helm3ToReleaseWhereItFits } from './helm3-release.ts';
import type { ListedRevision } from './list-releases.ts';
import { revisionKey } from './tiller-texts.ts';

/** Which Helm keeps a record: Helm 2's Tiller, or Helm 3 and 4. */
export type Storage = 'helm2' | 'helm3';

export type RecordResource = 'configmaps' | 'secrets';

/** The part of a ConfigMap or Secret that is read. */
export interface RecordObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** The text of a list's record comes as bytes. */
  readonly data?: Readonly<Record<string, string | Buffer>>;
}

/** What is kept in memory of a revision: what lists sort and filter by, and what their answers show. */
export interface Summary extends ListedRevision {
  readonly version: number;
  readonly status: StatusCode;
  /**
   * The `hapi.release.Release` without the chart's contents, manifest and hooks, in memory of its own. Its fields are the
   * bytes that the record has.
   */
  readonly wire: Buffer;
}

/** A record that could be read. */
export interface StoredRevision extends Summary {
  readonly storage: Storage;
  readonly resource: RecordResource;
  /** Of the watch that brings it, the same in each replica: `configmaps`, `helm3-secrets`, `helm3-secrets-NAMESPACE`. */
  readonly watch: string;
  /** The namespace of the record, which for Helm 2 is Tiller's. */
  readonly objectNamespace: string;
  readonly objectName: string;
  readonly resourceVersion: string;
}

/** A record as it was read: what is kept of it, and the whole `hapi.release.Release`. */
export interface DecodedRecord {
  readonly revision: StoredRevision;
  readonly whole: Buffer;
}

/** How Helm 3 begins the names of its records. */
const helm3Prefix = 'sh.helm.release.v1.';

/** The labels by which each Helm finds its records: all, those that no newer revision has superseded, one release's. */
export const recordSelectors: Readonly<
  Record<Storage, { readonly all: string; readonly current: string; of(name: string): string }>
> = {
  helm2: {
    all: 'OWNER=TILLER',
    current: 'OWNER=TILLER,STATUS!=SUPERSEDED',
    of: name => `OWNER=TILLER,NAME=${name}`,
  },
  helm3: {
    all: 'owner=helm',
    current: 'owner=helm,status!=superseded',
    of: name => `owner=helm,name=${name}`,
  },
};

/** What is known of a record before it is read. */
type Source = Pick<StoredRevision, 'resource' | 'storage' | 'watch'>;

/** Records of Helm 3 that are read at the same time, of all watches: there are two for each namespace. */
const helm3Turns = new Limiter(2, Number.POSITIVE_INFINITY, () => unavailable('too many records at once'));

/**
 * Reads a record. What the release itself says counts, not the labels.
 * @throws GatewayError that says what is wrong with it, or the signal's reason
 */
export async function decodeRecord(
  object: RecordObject,
  source: Source,
  signal: AbortSignal,
): Promise<DecodedRecord> {
  const read = () => decode(object, source, signal);
  return source.storage === 'helm3' ? helm3Turns.run(read, signal) : read();
}

async function decode(
  object: RecordObject,
  { resource, storage, watch }: Source,
  signal: AbortSignal,
): Promise<DecodedRecord> {
  const content = await unpack(object.data?.release, resource);
  const job = { what: 'the release', bytes: content.length, signal, move: true };
  const whole = storage === 'helm3' ? await helm3ToReleaseWhereItFits(job, content) : content;
  const summary = summarize(whole, storage);
  const { name: objectName, namespace: objectNamespace, resourceVersion = '' } = object.metadata;
  const key = (storage === 'helm3' ? helm3Prefix : '') + revisionKey(summary.name, summary.version);
  if (storage === 'helm3' && summary.namespace !== objectNamespace)
    throw invalidArgument(`it is of namespace ${summary.namespace.slice(0, 100)}`);
  if (objectName !== key) throw invalidArgument(`it holds ${key.slice(0, 100)}`);
  const place = { storage, resource, watch, objectNamespace, objectName, resourceVersion };
  return { whole, revision: { ...summary, ...place } };
}

/** How large a release may unpack to. etcd takes 1.5 MiB, so that only a bomb unpacks to more. */
const maxReleaseBytes = 32 * 1024 * 1024;

/** Below this size unpacking takes less time than handing it to another thread. */
const syncBytes = 16 * 1024;

const gunzipAsync = promisify(gunzip);

/**
 * The content of a record: a `hapi.release.Release` for Helm 2, JSON for Helm 3. A Secret has its base64 twice, once by
 * the API and once by Helm.
 * @throws GatewayError INVALID_ARGUMENT that says what is wrong with it
 */
async function unpack(text: string | Buffer | undefined, resource: RecordResource): Promise<Buffer> {
  if (typeof text !== 'string' && !Buffer.isBuffer(text)) throw invalidArgument('data.release is missing');
  const packed = fromBase64(resource === 'secrets' ? fromBase64(text) : text);
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

function fromBase64(text: string | Buffer): Buffer {
  return Buffer.from(typeof text === 'string' ? text : text.toString('latin1'), 'base64');
}

/** The pieces in which a record is unpacked: one, where its last bytes tell its size (RFC 1952). */
function chunkSizeOf(packed: Buffer): number {
  const size = packed.length >= 4 ? packed.readUInt32LE(packed.length - 4) : 0;
  return Math.min(Math.max(size + 1024, 16 * 1024), 512 * 1024);
}

const release = 'hapi.release.Release';
const chart = 'hapi.chart.Chart';

const copySummary = createCopier(release, release, {
  omit: ['manifest', 'hooks'],
  nested: {
    chart: createCopier(chart, chart, { omit: ['templates', 'dependencies', 'values', 'files'] }),
  },
});

/**
 * Where replies from records say that Helm 3 keeps a release, beyond Tiller's fields. In the unary replies the numbers are
 * those of `storage` in the messages of `appscode.swift.v2`; in a list's releases it is a field of our own.
 */
export const storageField = { GetReleaseContent: 2, GetHistory: 2, GetReleaseStatus: 4, summary: 9 } as const;

/** What a summary may have beside the values, which are one text: in more, millions of keywords could be. */
const maxHeadBytes = 1024 * 1024;

const configField = messageType(release).byName.get('config')!.number;

/** Of `appscode.swift.v2.Storage`. */
export const storageNumbers: Readonly<Record<Storage, number>> = { helm2: 0, helm3: 1 };

/**
 * Reduces a whole release. What is left out is skipped unread.
 * @throws GatewayError for bytes that are no release, or one that Tiller could not list
 */
export function summarize(whole: Uint8Array, storage: Storage): Summary {
  const out = new WireWriter(1024);
  copySummary(whole, 0, whole.length, out);
  const written = out.intField(storageField.summary, storageNumbers[storage]).finish();
  if (written.length - (lastField(written, configField)?.length ?? 0) > maxHeadBytes)
    throw invalidArgument('the notes and the metadata of the chart are over 1 MiB');
  const { name, version, namespace, info, chart } = decodeMessage(release, written);
  if (name === '' || version <= 0) throw invalidArgument('the release has no name or no version');
  if (!info?.status || !chart?.metadata) throw invalidArgument('the release has no info or no chart');
  const wire = Buffer.allocUnsafeSlow(written.length);
  wire.set(written);
  return {
    name,
    version,
    namespace,
    status: info.status.code,
    lastDeployedSeconds: info.last_deployed?.seconds ?? 0,
    chartName: chart.metadata.name,
    wire,
  };
}

/** Why a record cannot be read, for logs and reports: a text of bounded length. */
export function faultOf(error: unknown): string {
  return GatewayError.from(error).message.slice(0, 200);
}
