import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import { ManifestError, type ManifestHead, readManifestHead } from './head.ts';
import { compareForUninstall } from './kind-order.ts';
import { splitManifests } from './split.ts';

/** A document of a release's manifest, which Tiller deletes by itself. */
export interface ManifestDocument extends ManifestHead {
  readonly text: string;
}

/**
 * The documents of a release's manifest in the order in which Tiller deletes them. One that holds nothing but comments is
 * a document too.
 * @throws ManifestError when a document is not YAML, or not an object
 */
export function documentsForUninstall(manifest: string): ManifestDocument[] {
  return splitManifests(utf8ToBytes(manifest))
    .flatMap((part, index) => readPart(part, `manifest-${index}`))
    .sort(compareForUninstall);
}

function readPart(part: string, path: string): (ManifestDocument & { path: string })[] {
  try {
    return splitManifests(part).map(text => ({ ...readManifestHead(text), text: bytesToUtf8(text), path }));
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new ManifestError(`YAML parse error on ${path}: ${error.message}`, { cause: error });
  }
}
