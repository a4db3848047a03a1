import type { InstallReleaseRequest, InstallReleaseResponse, Release } from '../../codec/index.ts';
import { validateNamespace } from '../state/cluster.ts';
import { readManifestObjects } from '../state/manifest-objects.ts';
import { setStatus, statusOf } from '../state/revision.ts';
import { storageNameFault } from '../state/revision-store.ts';
import { prefixed, tillerError, withPrefix } from '../state/tiller-error.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { runHooks } from './hooks.ts';
import {
  failingAs,
  renderNewRelease,
  replaceObjects,
  validateChart,
  validateManifest,
} from './new-release.ts';
import { generateReleaseName, maxNameLength } from './release-name.ts';

/**
 * Installs a chart, under a name of Tiller's choice when none is given.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function installRelease(
  state: TillerState,
  request: InstallReleaseRequest,
): Promise<InstallReleaseResponse> {
  const release = prepareInstall(state, request);
  if (request.dry_run) {
    finishDryRun(release, request);
    return { release };
  }
  if (!request.disable_hooks && !request.disable_crd_hook) runHooks(state, release, 'CRD_INSTALL');
  withPrefix('validation failed: ', () => validateManifest(release));
  if (!request.disable_hooks) runHooks(state, release, 'PRE_INSTALL');
  if (request.reuse_name && state.store.has(release.name)) await replaceRelease(state, release);
  else await createRelease(state, release);
  if (!request.disable_hooks) {
    await failingAs(state, release, `Release "${release.name}" failed post-install`, () =>
      runHooks(state, release, 'POST_INSTALL'),
    );
  }
  setStatus(release, 'DEPLOYED', request.description || 'Install complete');
  await record(state, release, 'update');
  return { release };
}

/**
 * Finds a name and renders the chart; stores nothing.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function prepareInstall(state: TillerState, request: InstallReleaseRequest): Release {
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
function finishDryRun(release: Release, request: InstallReleaseRequest): void {
  if (!request.disable_crd_hook && release.hooks.some(hook => hook.events.includes('CRD_INSTALL'))) {
    setStatus(release, 'PENDING_INSTALL', 'Validation skipped because CRDs are not installed');
    return;
  }
  validateManifest(release);
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
      ? `a released named ${wanted} is in use, cannot re-use a name that is still in use`
      : `a release named ${wanted} already exists.\nRun: helm ls --all ${wanted}; to check the status of the release\nOr run: helm del --purge ${wanted}; to delete it`,
  );
}

async function createRelease(state: TillerState, release: Release): Promise<void> {
  await record(state, release, 'create');
  await failingAs(state, release, `Release "${release.name}" failed`, () => {
    validateNamespace(release.namespace);
    state.cluster.create(readManifestObjects(release.manifest, release.namespace), state.now());
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
  await record(state, release, 'create');
  await failingAs(state, release, `Release replace "${release.name}" failed`, () =>
    replaceObjects(state, old, release),
  );
}

/** Tiller only warns when it cannot store a release, and goes on: so it is with a name that Kubernetes does not take. */
async function record(state: TillerState, release: Release, how: 'create' | 'update'): Promise<void> {
  if (storageNameFault(release.name) === undefined) await state.store[how](release);
}
