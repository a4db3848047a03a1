import type { Chart, Config, Release, StatusCode, Timestamp } from '../../codec/index.ts';
import { copyRelease, setStatus, toTimestamp } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { TillerCrash, tillerError, toTillerError } from '../work/tiller-error.ts';

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
export async function renderNewRelease(state: TillerState, wanted: NewRelease): Promise<Release> {
  const { name, namespace, version, values, isUpgrade, subNotes, status, description } = wanted;
  const chart = refuseCrash(validateChart(wanted.chart));
  const now = state.now();
  const { manifest, notes, notesAreUtf8, hooks } = await state.work.render({
    chart,
    values,
    release: { name, namespace, revision: version, isInstall: !isUpgrade, isUpgrade, time: now },
    subNotes,
    dryRun: wanted.isDryInstall ?? false,
  });
  const deployed = toTimestamp(now);
  const release = copyRelease({
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
  if (!notesAreUtf8)
    state.store.refuse(release, 'proto: field "hapi.release.Status.Notes" contains invalid UTF-8');
  return release;
}

/**
 * Refuses a chart that is not there.
 * @throws GatewayError UNKNOWN
 */
export function validateChart(chart: Chart | null): Chart {
  if (!chart) throw tillerError('no chart provided');
  return chart;
}

/** @throws TillerCrash for a chart without metadata, or with a subchart that has none */
function refuseCrash(chart: Chart, what = 'a chart'): Chart {
  if (!chart.metadata) throw new TillerCrash(`${what} without metadata`);
  for (const dependency of chart.dependencies) refuseCrash(dependency, 'a dependency');
  return chart;
}

/**
 * The check of a manifest before anything is stored: every document must be an object.
 * @throws GatewayError UNKNOWN
 */
export async function validateManifest(state: TillerState, release: Release): Promise<void> {
  await state.work.readObjects(release.manifest, release.namespace);
}

/**
 * Runs a step; when it fails the release is stored as FAILED with the reason behind `what`, and the failure goes on.
 * @throws GatewayError
 */
export async function failingAs(
  state: TillerState,
  release: Release,
  what: string,
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    const failure = toTillerError(error);
    setStatus(release, 'FAILED', `${what}: ${failure.message}`);
    await state.store.record(release, 'update');
    throw failure;
  }
}

/**
 * Brings the cluster from one revision's objects to another's.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function replaceObjects(state: TillerState, before: Release, after: Release): Promise<void> {
  const old = await state.work.readObjects(before.manifest, before.namespace);
  state.cluster.update(old, await state.work.readObjects(after.manifest, after.namespace), state.now());
}
