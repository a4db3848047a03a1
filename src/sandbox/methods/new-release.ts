import { renderRelease } from '@tiller-gateway/helm-render';
import type { Chart, Config, Release, StatusCode, Timestamp } from '../../codec/index.ts';
import { readManifestObjects } from '../state/manifest-objects.ts';
import { copyRelease, setStatus, toTimestamp } from '../state/revision.ts';
import { storageNameFault } from '../state/revision-store.ts';
import { TillerCrash, tillerError, toTillerError } from '../state/tiller-error.ts';
import type { TillerState } from '../state/tiller-state.ts';

export interface NewRelease {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly chart: Chart | null;
  readonly values: Config | null;
  readonly status: StatusCode;
  readonly description: string;
  /** For an upgrade, when the release began; now for an install. */
  readonly firstDeployed?: Timestamp | null;
  readonly isUpgrade: boolean;
  readonly subNotes: boolean;
  /** Whether this is an install's dry run, whose errors tell more. */
  readonly isDryInstall?: boolean;
}

/**
 * Renders a chart into a release that is stored nowhere yet.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function renderNewRelease(state: TillerState, wanted: NewRelease): Release {
  const { name, namespace, version, values, isUpgrade, subNotes, status, description } = wanted;
  const chart = validateChart(wanted.chart);
  const now = state.now();
  const { manifest, notes, hooks } = renderRelease({
    chart,
    values,
    release: { name, namespace, revision: version, isInstall: !isUpgrade, isUpgrade, time: now },
    subNotes,
    dryRun: wanted.isDryInstall ?? false,
  });
  const deployed = toTimestamp(now);
  return copyRelease({
    name,
    namespace,
    version,
    chart,
    config: values ?? undefined,
    manifest,
    hooks,
    info: {
      status: { code: status, notes },
      first_deployed: wanted.firstDeployed ?? deployed,
      last_deployed: deployed,
      Description: description,
    },
  });
}

/**
 * Refuses a chart that is not there, or that has no metadata.
 * @throws GatewayError UNKNOWN; TillerCrash
 */
export function validateChart(chart: Chart | null): Chart {
  if (!chart) throw tillerError('no chart provided');
  if (!chart.metadata) throw new TillerCrash('a chart without metadata');
  return chart;
}

/**
 * The check of a manifest before anything is stored: every document must be an object.
 * @throws GatewayError UNKNOWN
 */
export function validateManifest(release: Release): void {
  readManifestObjects(release.manifest, release.namespace);
}

/**
 * Runs a step; when it fails the release is stored as FAILED with the reason behind `what`, and the failure goes on.
 * @throws GatewayError
 */
export async function failingAs(
  state: TillerState,
  release: Release,
  what: string,
  step: () => void,
): Promise<void> {
  try {
    step();
  } catch (error) {
    const failure = toTillerError(error);
    setStatus(release, 'FAILED', `${what}: ${failure.message}`);
    if (storageNameFault(release.name) === undefined) await state.store.update(release);
    throw failure;
  }
}

/**
 * Brings the cluster from one revision's objects to another's.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function replaceObjects(state: TillerState, before: Release, after: Release): void {
  state.cluster.update(
    readManifestObjects(before.manifest, before.namespace),
    readManifestObjects(after.manifest, after.namespace),
    state.now(),
  );
}
