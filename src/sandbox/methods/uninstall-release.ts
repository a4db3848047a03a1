import { validateReleaseName } from '../../backends/index.ts';
import type { Release, UninstallReleaseRequest, UninstallReleaseResponse } from '../../codec/index.ts';
import { isKept } from '../state/cluster.ts';
import { setStatus, statusOf, toTimestamp } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import type { ObjectDocument } from '../work/manifest-objects.ts';
import { tillerError, toTillerError } from '../work/tiller-error.ts';
import { runHooks } from './hooks.ts';

/**
 * Deletes a release's objects. Its record stays, as DELETED, unless `purge` takes away the whole history.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function uninstallRelease(
  state: TillerState,
  request: UninstallReleaseRequest,
): Promise<UninstallReleaseResponse> {
  validateReleaseName(request.name);
  const release = state.store.last(request.name);
  if (statusOf(release) === 'DELETED') {
    if (!request.purge) throw tillerError(`the release named "${request.name}" is already deleted`);
    await purge(state, request.name);
    return { release, info: '' };
  }
  return { release, info: await deleteRelease(state, request, release) };
}

/** @returns what is said about the objects that were kept */
async function deleteRelease(
  state: TillerState,
  request: UninstallReleaseRequest,
  release: Release,
): Promise<string> {
  setStatus(release, 'DELETING', 'Deletion in progress (or silently failed)');
  if (release.info) release.info.deleted = toTimestamp(state.now());
  if (!request.disable_hooks) await runHooks(state, release, 'PRE_DELETE');
  await state.store.update(release);
  const { kept, faults } = await deleteObjects(state, release);
  if (!request.disable_hooks) {
    await runHooks(state, release, 'POST_DELETE').catch(error => faults.push(toTillerError(error).message));
  }
  setStatus(release, 'DELETED', request.description || 'Deletion complete');
  if (request.purge) {
    await purge(state, request.name); // whatever could not be deleted
    return kept;
  }
  await state.store.update(release);
  if (faults.length > 0) {
    throw tillerError(`deletion completed with ${faults.length} error(s): ${faults.join('; ')}`);
  }
  return kept;
}

/** What came of deleting a release's objects. */
interface Deletion {
  /** A sentence about those that their resource policy keeps; empty when there are none. */
  readonly kept: string;
  /** Tiller's texts about those that could not be deleted. */
  readonly faults: string[];
}

/** Deletes a release's objects document by document, as Tiller does: one that cannot be deleted does not stop the others. */
export async function deleteObjects(state: TillerState, release: Release): Promise<Deletion> {
  let documents: ObjectDocument[];
  try {
    documents = await state.work.readDocuments(release.manifest, release.namespace);
  } catch (error) {
    const text = `corrupted release record. You must manually delete the resources: ${(error as Error).message}`;
    return { kept: release.manifest, faults: [text] };
  }
  const faults: string[] = [];
  for (const document of documents) {
    if (isKept(document.annotations)) continue;
    const fault = deleteDocument(state, release, document);
    if (fault !== undefined) faults.push(fault);
  }
  return { kept: describeKept(documents.filter(document => isPresentAndKept(state, document))), faults };
}

/** @returns why the document's objects could not be deleted */
function deleteDocument(state: TillerState, release: Release, document: ObjectDocument): string | undefined {
  if (document.objects.length === 0) {
    const object = document.hasMetadata ? `[${document.kind}] ${document.name}` : '';
    return `release ${JSON.stringify(release.name)}: object ${JSON.stringify(object)} not found, skipping delete`;
  }
  try {
    state.cluster.delete(document.objects);
    return undefined;
  } catch (error) {
    return toTillerError(error).message;
  }
}

function isPresentAndKept({ cluster }: TillerState, { annotations, objects }: ObjectDocument): boolean {
  return isKept(annotations) && objects.length > 0 && objects.every(object => cluster.has(object));
}

function describeKept(documents: readonly ObjectDocument[]): string {
  if (documents.length === 0) return '';
  const lines = documents.map(({ kind, name }) => `[${kind}] ${name}\n`);
  return `These resources were kept due to the resource policy:\n${lines.join('')}`;
}

async function purge(state: TillerState, name: string): Promise<void> {
  for (const { version } of state.store.history(name)) await state.store.delete(name, version);
}
