import { validateReleaseName } from '../../backends/index.ts';
import type { Release, StatusCode, UpdateReleaseRequest, UpdateReleaseResponse } from '../../codec/index.ts';
import { setStatus, toTimestamp } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { TillerCrash, tillerError } from '../work/tiller-error.ts';
import { runHooks } from './hooks.ts';
import { prepareInstall } from './install-release.ts';
import {
  failingAs,
  renderNewRelease,
  replaceObjects,
  validateChart,
  validateManifest,
} from './new-release.ts';
import { reuseValues } from './reuse-values.ts';
import { deleteObjects } from './uninstall-release.ts';

/**
 * Upgrades a deployed release; with `force` also one that has nothing deployed, as a deletion and a new installation.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function updateRelease(
  state: TillerState,
  request: UpdateReleaseRequest,
): Promise<UpdateReleaseResponse> {
  validateReleaseName(request.name);
  let prepared: { current: Release; release: Release };
  try {
    prepared = await prepareUpdate(state, request);
  } catch (error) {
    if (!request.force || error instanceof TillerCrash) throw error;
    return { release: await forceUpdate(state, request) };
  }
  const { current, release } = prepared;
  if (request.dry_run) setStatus(release, 'PENDING_UPGRADE', 'Dry run complete');
  else await performUpdate(state, request, current, release);
  return { release };
}

async function prepareUpdate(
  state: TillerState,
  request: UpdateReleaseRequest,
): Promise<{ current: Release; release: Release }> {
  const given = validateChart(request.chart);
  const current = state.store.deployed(request.name);
  const { chart, values } = await reuseValues(state.work, request, given, current);
  const last = state.store.history(request.name)[0];
  if (last && isPending(last.status)) {
    throw tillerError('another operation (install/upgrade/rollback) is in progress');
  }
  const release = await renderNewRelease(state, {
    name: request.name,
    namespace: current.namespace,
    version: (last?.version ?? current.version) + 1,
    chart,
    values,
    status: 'PENDING_UPGRADE',
    description: 'Preparing upgrade',
    firstDeployed: current.info?.first_deployed ?? null,
    isUpgrade: true,
    subNotes: request.subNotes,
  });
  await validateManifest(state, release);
  return { current, release };
}

/** Two upgrades at once are told apart by this, and one that was cut off keeps all others out. */
function isPending(status: StatusCode): boolean {
  return status === 'PENDING_INSTALL' || status === 'PENDING_UPGRADE' || status === 'PENDING_ROLLBACK';
}

/** A hook that fails leaves the new revision pending, as it does in a real Tiller. */
async function performUpdate(
  state: TillerState,
  request: UpdateReleaseRequest,
  current: Release,
  release: Release,
): Promise<void> {
  await state.store.create(release);
  if (!request.disable_hooks) await runHooks(state, release, 'PRE_UPGRADE');
  await failingAs(state, release, `Upgrade "${release.name}" failed`, () =>
    replaceObjects(state, current, release),
  );
  if (!request.disable_hooks) await runHooks(state, release, 'POST_UPGRADE');
  setStatus(current, 'SUPERSEDED');
  await state.store.update(current);
  setStatus(release, 'DEPLOYED', request.description || 'Upgrade complete');
  await state.store.update(release);
}

/** `helm upgrade --force` of what cannot be upgraded: `helm delete` and `helm install --replace` in one. */
async function forceUpdate(state: TillerState, request: UpdateReleaseRequest): Promise<Release> {
  const old = state.store.last(request.name);
  const release = await prepareInstall(state, {
    chart: request.chart,
    values: request.values,
    dry_run: request.dry_run,
    name: request.name,
    disable_hooks: request.disable_hooks,
    namespace: old.namespace,
    reuse_name: true,
    timeout: request.timeout,
    wait: request.wait,
    disable_crd_hook: false,
    description: request.description,
    subNotes: false, // Tiller forgets them here
  });
  release.version = old.version + 1;
  if (request.dry_run) {
    setStatus(release, 'PENDING_INSTALL', 'Dry run complete');
    return release;
  }
  await deleteOld(state, request, old);
  if (!request.disable_hooks) await runHooks(state, release, 'PRE_INSTALL');
  await state.store.record(release, 'create');
  await failingAs(state, release, `Upgrade "${release.name}" failed`, () =>
    replaceObjects(state, old, release),
  );
  if (!request.disable_hooks) {
    await failingAs(state, release, `Release "${release.name}" failed post-install`, () =>
      runHooks(state, release, 'POST_INSTALL'),
    );
  }
  setStatus(release, 'DEPLOYED', request.description || 'Upgrade complete');
  await state.store.record(release, 'update');
  return release;
}

async function deleteOld(state: TillerState, request: UpdateReleaseRequest, old: Release): Promise<void> {
  setStatus(old, 'DELETING', 'Deletion in progress (or silently failed)');
  if (old.info) old.info.deleted = toTimestamp(state.now());
  await state.store.update(old);
  if (!request.disable_hooks) await runHooks(state, old, 'PRE_DELETE');
  const { faults } = await deleteObjects(state, old);
  setStatus(old, 'DELETED', 'Deletion complete');
  await state.store.update(old);
  if (faults.length > 0) {
    throw tillerError(
      `Upgrade --force successfully deleted the previous release, but encountered ${faults.length} error(s) and cannot continue: ${faults.join('; ')}`,
    );
  }
  if (!request.disable_hooks) await runHooks(state, old, 'POST_DELETE');
}
