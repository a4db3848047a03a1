import { invalidArgument } from '../../protocol/index.ts';
import { helm3ToRelease } from './helm3-release.ts';
import type { StoredRevision } from './record-store.ts';
import { summarize } from './summary.ts';
import { revisionKey } from './tiller-texts.ts';
import { type RecordObject, type RecordResource, type Storage, unpackRecord } from './unpack-record.ts';

/** A record as it was read: what is kept of it, and the whole `hapi.release.Release`. */
export interface DecodedRecord {
  readonly revision: StoredRevision;
  readonly whole: Buffer;
}

/** How Helm 3 begins the names of its records. */
const helm3Prefix = 'sh.helm.release.v1.';

/** The labels by which each Helm finds its records, and that with the release's name. */
export const recordLabels: Readonly<Record<Storage, { readonly owner: string; readonly name: string }>> = {
  helm2: { owner: 'OWNER=TILLER', name: 'NAME' },
  helm3: { owner: 'owner=helm', name: 'name' },
};

/**
 * Reads a record. What the release itself says counts, not the labels.
 * @throws GatewayError that says what is wrong with it
 */
export async function decodeRecord(
  object: RecordObject,
  resource: RecordResource,
  storage: Storage,
): Promise<DecodedRecord> {
  const content = await unpackRecord(object, resource);
  const whole = storage === 'helm3' ? helm3ToRelease(content) : content;
  const summary = summarize(whole, storage);
  const { name: objectName, namespace: objectNamespace, resourceVersion = '' } = object.metadata;
  const key = (storage === 'helm3' ? helm3Prefix : '') + revisionKey(summary.name, summary.version);
  if (storage === 'helm3' && summary.namespace !== objectNamespace)
    throw invalidArgument(`it is of namespace ${summary.namespace.slice(0, 100)}`);
  if (objectName !== key) throw invalidArgument(`it holds ${key.slice(0, 100)}`);
  return { whole, revision: { ...summary, storage, resource, objectNamespace, objectName, resourceVersion } };
}
