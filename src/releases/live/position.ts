import { randomBytes } from 'node:crypto';

/**
 * Versions of the API server up to which changes were seen, by resource (`configmaps`, `secrets`). Each resource has a
 * watch of its own, whose changes come in the order of their versions.
 */
export type Versions = ReadonlyMap<string, number>;

/** Where a stream stands. */
export interface Position {
  /** Of the feed that counted: another replica, or this one before a restart, counts for itself. */
  readonly epoch: string;
  /** Number of the last change. */
  readonly sequence: number;
  readonly versions: Versions;
}

/** An id that no stream can be resumed from. */
export const unknownPosition = 'unknown';

export function newEpoch(): string {
  return randomBytes(4).toString('hex');
}

/** As the `id` of an event: `EPOCH.SEQUENCE.configmaps-VERSION`. */
export function writePosition({ epoch, sequence, versions }: Position): string {
  return [epoch, sequence, ...[...versions].map(([resource, version]) => `${resource}-${version}`)].join('.');
}

/** @returns undefined for anything that is no id of a feed */
export function readPosition(id: string): Position | undefined {
  const match = /^([0-9a-f]{8})\.(\d{1,15})((?:\.[a-z]{1,40}-\d{1,15}){0,8})$/.exec(id);
  if (!match) return undefined;
  const [, epoch = '', sequence, rest = ''] = match;
  const versions = rest
    .split('.')
    .slice(1)
    .map(part => part.split('-') as [string, string])
    .map(([resource, version]): [string, number] => [resource, Number(version)]);
  return { epoch, sequence: Number(sequence), versions: new Map(versions) };
}

/** The version as a number, which it is for etcd; undefined where the API server counts otherwise. */
export function toVersion(resourceVersion: string): number | undefined {
  return /^\d{1,15}$/.test(resourceVersion) ? Number(resourceVersion) : undefined;
}
