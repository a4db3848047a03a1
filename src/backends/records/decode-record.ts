import { invalidArgument } from '../../protocol/index.ts';
import type { StoredRevision } from './record-store.ts';
import { summarize } from './summary.ts';
import { revisionKey } from './tiller-texts.ts';
import { type RecordObject, type RecordResource, type Storage, unpackRecord } from './unpack-record.ts';

/** A record as it was read: what is kept of it, and the whole `hapi.release.Release`. */
export interface DecodedRecord {
  readonly revision: StoredRevision;
  readonly whole: Uint8Array;
}

/**
 * Reads a record. What the release itself says counts, not the labels.
 * @throws GatewayError that says what is wrong with it
 */
export async function decodeRecord(
  object: RecordObject,
  resource: RecordResource,
  storage: Storage,
): Promise<DecodedRecord> {
  const whole = await unpackRecord(object, resource);
  const summary = summarize(whole);
  const { name: objectName, namespace: objectNamespace, resourceVersion = '' } = object.metadata;
  const key = revisionKey(summary.name, summary.version);
  if (objectName !== key) throw invalidArgument(`it holds ${key.slice(0, 100)}`);
  return { whole, revision: { ...summary, storage, resource, objectNamespace, objectName, resourceVersion } };
}
