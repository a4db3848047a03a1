import { posix } from 'node:path';
import type { Hook } from '../chart/chart.ts';
import { trimSpace } from '../functions/runes.ts';
import { bytesToUtf8 } from '../go/bytes.ts';
import { ManifestError, readManifestHead } from './head.ts';
import { readHook } from './hook.ts';
import { compareForInstall, type Sortable } from './kind-order.ts';
import { splitManifests } from './split.ts';

interface Manifest extends Sortable {
  readonly document: string;
}

export interface SortedManifests {
  /** All resources as one text (a byte string), in order of installation. */
  readonly manifest: string;
  readonly hooks: Hook[];
}

/** The work of a document beside its text: a short one takes about as long to read as templates take for 100 steps. */
const workOfDocument = 100;

/** One document as it stands in a release's manifest. */
function withSource(path: string, document: string): string {
  return `\n---\n# Source: ${path}\n${document}`;
}

/** All rendered files as they are: what Tiller shows when one of them is not YAML. */
export function joinFiles(files: ReadonlyMap<string, string>): string {
  return Array.from(files, ([path, text]) => (trimSpace(text) === '' ? '' : withSource(path, text))).join('');
}

/**
 * Splits rendered files into resources and hooks. Tiller goes through the files in the random order of a Go map; here it
 * is the order of rendering. `charge` is told the work of each document before it is read, and throws at the limit.
 * @throws ManifestError when a document is not YAML, or not an object
 */
export function sortManifests(
  files: ReadonlyMap<string, string>,
  charge: (amount: number) => void,
): SortedManifests {
  const manifests: Manifest[] = [];
  const hooks: Hook[] = [];
  for (const [path, text] of files) {
    if (posix.basename(path).startsWith('_') || trimSpace(text) === '') continue;
    for (const document of splitManifests(text)) {
      charge(workOfDocument + document.length);
      sortDocument(path, document, manifests, hooks);
    }
  }
  manifests.sort(compareForInstall);
  return { manifest: manifests.map(({ path, document }) => withSource(path, document)).join(''), hooks };
}

function sortDocument(path: string, document: string, manifests: Manifest[], hooks: Hook[]): void {
  try {
    const head = readManifestHead(document);
    const hook = readHook(path, document, head);
    if (hook === undefined) manifests.push({ kind: head.kind, path, document });
    else if (hook !== 'unknown') hooks.push(hook);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new ManifestError(`YAML parse error on ${bytesToUtf8(path)}: ${error.message}`, { cause: error });
  }
}
