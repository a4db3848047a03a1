import type { Release, UninstallReleaseRequest, UninstallReleaseResponse } from '../../codec/index.ts';
import { isKept } from '../state/cluster.ts';
import { type ManifestObject, readManifestObjects } from '../state/manifest-objects.ts';
import { setStatus, statusOf, toTimestamp } from '../state/revision.ts';
import { tillerError } from '../state/tiller-error.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { runHooks } from './hooks.ts';
import { validateReleaseName } from './release-name.ts';

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
  const info = await deleteRelease(state, request, release);
  if (request.purge) await purge(state, request.name);
  return { release, info };
}

/** @returns what is said about the objects that were kept */
async function deleteRelease(
  state: TillerState,
  request: UninstallReleaseRequest,
  release: Release,
): Promise<string> {
  setStatus(release, 'DELETING', 'Deletion in progress (or silently failed)');
  if (release.info) release.info.deleted = toTimestamp(state.now());
  if (!request.disable_hooks) runHooks(state, release, 'PRE_DELETE');
  await state.store.update(release);
  const objects = readManifestObjects(release.manifest, release.namespace);
  const kept = objects.filter(object => isKept(object) && state.cluster.has(object));
  state.cluster.delete(objects.filter(object => !isKept(object)));
  if (!request.disable_hooks) await runPostDelete(state, release);
  setStatus(release, 'DELETED', request.description || 'Deletion complete');
  await state.store.update(release);
  return describeKept(kept);
}

async function runPostDelete(state: TillerState, release: Release): Promise<void> {
  try {
    runHooks(state, release, 'POST_DELETE');
  } catch (error) {
    setStatus(release, 'UNKNOWN', 'Deletion of some resources failed');
    await state.store.update(release);
    throw tillerError(`Deletion failed! Because of 1 error(s): ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function describeKept(objects: readonly ManifestObject[]): string {
  if (objects.length === 0) return '';
  const lines = objects.map(({ kind, name }) => `[${kind}] ${name}\n`);
  return `These resources were kept due to the resource policy:\n${lines.join('')}`;
}

async function purge(state: TillerState, name: string): Promise<void> {
  for (const { version } of state.store.history(name)) await state.store.delete(name, version);
}
