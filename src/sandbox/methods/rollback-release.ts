import { validateReleaseName } from '../../backends/index.ts';
import type { Release, RollbackReleaseRequest, RollbackReleaseResponse } from '../../codec/index.ts';
import { revisionToRelease, setStatus, toTimestamp } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { tillerError } from '../work/tiller-error.ts';
import { runHooks } from './hooks.ts';
import { failingAs, replaceObjects } from './new-release.ts';

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
  if (!request.disable_hooks) await runHooks(state, release, 'PRE_ROLLBACK');
  setStatus(current, 'SUPERSEDED');
  try {
    await failingAs(state, release, `Rollback "${release.name}" failed`, () =>
      replaceObjects(state, current, release),
    );
  } catch (error) {
    await state.store.update(current);
    throw error;
  }
  if (!request.disable_hooks) await runHooks(state, release, 'POST_ROLLBACK');
  await state.store.update(current);
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

async function supersedeDeployed(state: TillerState, release: Release): Promise<void> {
  for (const revision of state.store.history(release.name)) {
    if (revision.status !== 'DEPLOYED') continue;
    const deployed = revisionToRelease(revision);
    setStatus(deployed, 'SUPERSEDED');
    await state.store.update(deployed);
  }
}
