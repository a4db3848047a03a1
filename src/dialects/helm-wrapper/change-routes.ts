import type { Call, RouteTable } from './call.ts';
import { parseRevision } from './go-texts.ts';
import { inHelm3Words, inWords, isNotFound, orNotFound, refuse } from './helm-errors.ts';
import { releasePath } from './read-routes.ts';
import { type ReleaseOptions, resolveChart } from './wanted-chart.ts';

const chartQuery = {
  chart: '`REPO/NAME`, a URL, `oci://HOST/NAME`, or the file name of an upload such as `web-1.4.2.tgz`.',
};

/** The routes that change releases. */
export const changeRoutes: RouteTable = {
  [`POST ${releasePath}`]: {
    summary: 'Installs a chart.',
    query: chartQuery,
    options: 'releaseOptions',
    answer: installRelease,
  },
  [`PUT ${releasePath}`]: {
    summary: 'Upgrades a release; with `install` installs the chart where there is none.',
    query: chartQuery,
    options: 'releaseOptions',
    answer: upgradeRelease,
  },
  [`DELETE ${releasePath}`]: {
    summary: 'Uninstalls a release.',
    options: 'releaseUninstallOptions',
    answer: uninstallRelease,
  },
  [`PUT ${releasePath}/versions/{reversion}`]: {
    summary: 'Rolls a release back to a revision; 0 is the one before.',
    options: 'releaseOptions',
    answer: rollBackRelease,
  },
};

const namePattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Whether Helm 3 takes a name for a new release; Helm 2 takes more, as long as the chart does not make objects of it. */
function isGoodName(name: string): boolean {
  return name.length <= 53 && namePattern.test(name);
}

function badName(name: string): string {
  return `release name ${JSON.stringify(name.slice(0, 300))}: invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53`;
}

/** What only Helm 3 can do: it is refused, since leaving it out would do something else than was asked for. */
function refuseHelm3(options: ReleaseOptions, names: readonly (keyof ReleaseOptions)[]): void {
  const given = names.find(name => options[name]);
  if (given !== undefined) refuse(`${given} is not supported for releases of Helm 2`);
}

/** Whole seconds; 0 stands for the five minutes that are the default. @param nanoseconds as Go has durations */
function secondsOf({ timeout: nanoseconds }: { readonly timeout: number }): number {
  if (nanoseconds < 0) refuse('timeout must not be negative');
  return Math.ceil(nanoseconds / 1e9);
}

function sharedFields(options: ReleaseOptions) {
  const { dry_run, disable_hooks, wait, description, sub_notes, atomic } = options;
  return { dry_run, disable_hooks, wait, description, sub_notes, atomic, timeout: secondsOf(options) };
}

/** A namespace that is not there is made in any case, as `create_namespace` asks for. */
async function installRelease(call: Call): Promise<void> {
  const options = await call.options('releaseOptions');
  refuseHelm3(options, ['wait_for_jobs', 'disable_open_api_validation']);
  const request = { ...call.release, ...sharedFields(options), disable_crd_hook: options.skip_crds };
  const { chart, values } = await resolveChart(call, options);
  if (!isGoodName(call.release.name)) refuse(badName(call.release.name));
  await inHelm3Words(() => call.ask('InstallRelease', request, { chart, values }));
}

async function upgradeRelease(call: Call): Promise<void> {
  const options = await call.options('releaseOptions');
  refuseHelm3(options, ['wait_for_jobs', 'disable_open_api_validation', 'history_max']);
  // an upgrade makes no CRDs, but an installation in its place would
  if (options.install) refuseHelm3(options, ['skip_crds']);
  const { force, recreate, reuse_values, cleanup_on_fail } = options;
  const { name } = call.release;
  const install = options.install && isGoodName(name);
  const request = {
    ...call.release,
    ...sharedFields(options),
    ...{ install, force, recreate, reuse_values, cleanup_on_fail },
  };
  const { chart, values } = await resolveChart(call, options);
  // with `install`, a good name is not found where its release was uninstalled and its history kept
  const missing =
    options.install && !install ? badName(name) : `${JSON.stringify(name)} has no deployed releases`;
  await inHelm3Words(() => orNotFound(missing, () => call.ask('UpdateRelease', request, { chart, values })));
}

async function rollBackRelease(call: Call): Promise<void> {
  const version = parseRevision(call.field('reversion'));
  const options = await call.options('releaseOptions');
  refuseHelm3(options, ['history_max']);
  const { dry_run, disable_hooks, wait, force, recreate, cleanup_on_fail } = options;
  const fields = { dry_run, disable_hooks, wait, force, recreate, cleanup_on_fail };
  const timeout = secondsOf(options);
  try {
    await call.ask('RollbackRelease', { ...call.release, ...fields, version, timeout });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // the release, or this revision of it
    await orNotFound('release: not found', () => call.ask('GetHistory', { ...call.release, max: 1 }));
    throw inWords(error, `release has no ${version} version`);
  }
}

async function uninstallRelease(call: Call): Promise<void> {
  const options = await call.options('releaseUninstallOptions');
  const { disable_hooks, description, ignore_not_found, keep_history, delete_propagation } = options;
  if (options.wait) refuse('wait is not supported for the uninstallation of releases of Helm 2');
  if (!/^(?:background)?$/.test(delete_propagation))
    refuse('delete_propagation other than background is not supported for releases of Helm 2');
  const timeout = secondsOf(options);
  const { name } = call.release;
  if (options.dry_run) {
    try {
      await call.ask('GetReleaseStatus', { ...call.release, skip_resources: true });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (!ignore_not_found) throw inWords(error, 'release: not found');
    }
    return;
  }
  const request = {
    ...call.release,
    disable_hooks,
    description,
    ignore_not_found,
    timeout,
    purge: !keep_history,
  };
  await orNotFound(`uninstall: Release not loaded: ${name}: release: not found`, () =>
    call.ask('UninstallRelease', request),
  );
}
