import type {
  Release,
  RollbackReleaseRequest,
  RollbackReleaseResponse,
} from '../../../codec/messages.gen.ts';
import { runHooks } from '../hooks.ts';
import { readManifestObjects } from '../manifest-objects.ts';
import { setStatus } from '../new-release.ts';
import { validateReleaseName } from '../release-name.ts';
import { revisionToRelease, toTimestamp } from '../revision.ts';
import type { TillerState } from '../state.ts';
import { tillerError } from '../tiller-error.ts';

/**
 * Makes an earlier revision the newest one again; version 0 is the one before the newest.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function rollbackRelease(
  state: TillerState,
  request: RollbackReleaseRequest,
): Promise<RollbackReleaseResponse> {
  const { current, release } = prepareRollback(state, request);
  if (request.dry_run) return { release };
  await state.store.create(release);
  if (!request.disable_hooks) runHooks(state, release, 'PRE_ROLLBACK');
  await replaceObjects(state, current, release);
  if (!request.disable_hooks) runHooks(state, release, 'POST_ROLLBACK');
  await supersedeDeployed(state, release);
  setStatus(release, 'DEPLOYED');
  await state.store.update(release);
  return { release };
}

function prepareRollback(
  state: TillerState,
  request: RollbackReleaseRequest,
): { current: Release; release: Release } {
  validateReleaseName(request.name);
  if (request.version < 0) throw tillerError('invalid release revision');
  const current = state.store.last(request.name);
  const version = request.version === 0 ? current.version - 1 : request.version;
  const target = state.store.get(request.name, version);
  const release: Release = {
    ...target,
    namespace: current.namespace,
    version: current.version + 1,
    info: {
      first_deployed: current.info?.first_deployed ?? null,
      last_deployed: toTimestamp(state.now()),
      deleted: null,
      status: {
        code: 'PENDING_ROLLBACK',
        resources: '',
        notes: target.info?.status?.notes ?? '',
        last_test_suite_run: null,
      },
      Description: request.description || `Rollback to ${version}`,
    },
  };
  return { current, release };
}

async function replaceObjects(state: TillerState, current: Release, release: Release): Promise<void> {
  try {
    state.cluster.update(
      readManifestObjects(current.manifest, current.namespace),
      readManifestObjects(release.manifest, release.namespace),
      state.now(),
    );
  } catch (error) {
    setStatus(current, 'SUPERSEDED');
    await state.store.update(current);
    setStatus(release, 'FAILED', `Rollback "${release.name}" failed: ${(error as Error).message}`);
    await state.store.update(release);
    throw error;
  }
}

async function supersedeDeployed(state: TillerState, release: Release): Promise<void> {
  for (const revision of state.store.history(release.name)) {
    if (revision.status !== 'DEPLOYED') continue;
    const deployed = revisionToRelease(revision);
    setStatus(deployed, 'SUPERSEDED');
    await state.store.update(deployed);
  }
}
