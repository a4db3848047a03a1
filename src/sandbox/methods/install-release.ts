import { maxNameLength } from '../../backends/index.ts';
import type { InstallReleaseRequest, InstallReleaseResponse, Release } from '../../codec/index.ts';
import { setStatus, statusOf } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { prefixed, tillerError, withPrefixAsync } from '../work/tiller-error.ts';
import { runHooks } from './hooks.ts';
import {
  failingAs,
  renderNewRelease,
  replaceObjects,
  validateChart,
  validateManifest,
} from './new-release.ts';
import { generateReleaseName } from './release-name.ts';

/**
 * Installs a chart, under a name of Tiller's choice when none is given.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function installRelease(
  state: TillerState,
  request: InstallReleaseRequest,
): Promise<InstallReleaseResponse> {
  const release = await prepareInstall(state, request);
  if (request.dry_run) {
    await finishDryRun(state, release, request);
    return { release };
  }
  if (!request.disable_hooks && !request.disable_crd_hook) await runHooks(state, release, 'CRD_INSTALL');
  await withPrefixAsync('validation failed: ', validateManifest(state, release));
  if (!request.disable_hooks) await runHooks(state, release, 'PRE_INSTALL');
  if (request.reuse_name && state.store.has(release.name)) await replaceRelease(state, release);
  else await createRelease(state, release);
  if (!request.disable_hooks) {
    await failingAs(state, release, `Release "${release.name}" failed post-install`, () =>
      runHooks(state, release, 'POST_INSTALL'),
    );
  }
  setStatus(release, 'DEPLOYED', request.description || 'Install complete');
  await state.store.record(release, 'update');
  return { release };
}

/**
 * Finds a name and renders the chart; stores nothing.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function prepareInstall(state: TillerState, request: InstallReleaseRequest): Promise<Release> {
  validateChart(request.chart);
  const name = chooseName(state, request.name, request.reuse_name);
  return renderNewRelease(state, {
    name,
    namespace: request.namespace,
    version: 1,
    chart: request.chart,
    values: request.values,
    status: 'PENDING_INSTALL',
    description: 'Initial install underway',
    isUpgrade: false,
    subNotes: request.subNotes,
    isDryInstall: request.dry_run,
  });
}

/** A dry run cannot install the definitions that the manifest may need, so it does not check the manifest then. */
async function finishDryRun(
  state: TillerState,
  release: Release,
  request: InstallReleaseRequest,
): Promise<void> {
  if (!request.disable_crd_hook && release.hooks.some(hook => hook.events.includes('CRD_INSTALL'))) {
    setStatus(release, 'PENDING_INSTALL', 'Validation skipped because CRDs are not installed');
    return;
  }
  await validateManifest(state, release);
  setStatus(release, 'PENDING_INSTALL', 'Dry run complete');
}

function chooseName(state: TillerState, wanted: string, reuse: boolean): string {
  if (wanted === '') return generateReleaseName(name => state.store.has(name));
  if (Buffer.byteLength(wanted) > maxNameLength) {
    throw tillerError(`release name "${wanted}" exceeds max length of ${maxNameLength}`);
  }
  if (!state.store.has(wanted)) return wanted;
  const status = statusOf(state.store.last(wanted));
  if (reuse && (status === 'DELETED' || status === 'FAILED')) return wanted;
  throw tillerError(
    reuse
      ? `a release named ${wanted} is in use, cannot re-use a name that is still in use`
      : `a release named ${wanted} already exists.\nRun: helm ls --all ${wanted}; to check the status of the release\nOr run: helm del --purge ${wanted}; to delete it`,
  );
}

async function createRelease(state: TillerState, release: Release): Promise<void> {
  await state.store.record(release, 'create');
  await failingAs(state, release, `Release "${release.name}" failed`, async () => {
    state.cluster.ensureNamespace(release.namespace, state.now());
    const objects = await state.work.readObjects(release.manifest, release.namespace);
    state.cluster.create(objects, state.now());
  }).catch(error => {
    throw prefixed(`release ${release.name} failed: `, error);
  });
}

/** `reuse_name`: the new revision follows the old ones, of which the last counts as superseded. */
async function replaceRelease(state: TillerState, release: Release): Promise<void> {
  const old = state.store.last(release.name);
  setStatus(old, 'SUPERSEDED');
  await state.store.update(old);
  release.version = old.version + 1;
  await state.store.record(release, 'create');
  await failingAs(state, release, `Release replace "${release.name}" failed`, () =>
    replaceObjects(state, old, release),
  );
}
