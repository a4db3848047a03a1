import {
  decodeMessage,
  encodeMessage,
  type Partially,
  type Release,
  type StatusCode,
  type Timestamp,
} from '../../codec/index.ts';

/**
 * One stored revision: its bytes, and beside them what listing and sorting ask for, so that a list of many large releases
 * decodes none of them.
 */
export interface Revision {
  /** `NAME.vVERSION`, the name of the ConfigMap in a real cluster. */
  readonly key: string;
  readonly name: string;
  readonly version: number;
  readonly namespace: string;
  readonly status: StatusCode;
  readonly lastDeployedSeconds: number;
  readonly chartName: string;
  /** The `hapi.release.Release`. */
  readonly wire: Buffer;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Unix seconds; undefined as long as nothing changed it. */
  readonly modifiedAt: number | undefined;
}

export function revisionKey(name: string, version: number): string {
  return `${name}.v${version}`;
}

export function releaseToRevision(
  release: Release,
  createdAt: number,
  modifiedAt: number | undefined,
): Revision {
  return {
    key: revisionKey(release.name, release.version),
    name: release.name,
    version: release.version,
    namespace: release.namespace,
    status: release.info?.status?.code ?? 'UNKNOWN',
    lastDeployedSeconds: release.info?.last_deployed?.seconds ?? 0,
    chartName: release.chart?.metadata?.name ?? '',
    wire: encodeMessage('hapi.release.Release', release),
    createdAt,
    modifiedAt,
  };
}

/** A release of its own with every field, of what is given. */
export function copyRelease(given: Partially<Release>): Release {
  return decodeMessage('hapi.release.Release', encodeMessage('hapi.release.Release', given));
}

/** A copy that may be changed. */
export function revisionToRelease(revision: Revision): Release {
  return decodeMessage('hapi.release.Release', revision.wire);
}

export function toTimestamp(date: Date): Timestamp {
  const milliseconds = date.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}

/** Sets a release's status and, where given, its description. */
export function setStatus(release: Release, code: StatusCode, description?: string): void {
  if (!release.info?.status) return;
  release.info.status.code = code;
  if (description !== undefined) release.info.Description = description;
}

export function statusOf(release: Release): StatusCode {
  return release.info?.status?.code ?? 'UNKNOWN';
}
