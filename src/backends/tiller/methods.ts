import { service } from '../../codec/index.ts';

export const tillerService = 'hapi.services.tiller.ReleaseService';

export type TillerMethod =
  | 'GetHistory'
  | 'GetReleaseContent'
  | 'GetReleaseStatus'
  | 'GetVersion'
  | 'ListReleases'
  | 'InstallRelease'
  | 'RollbackRelease'
  | 'RunReleaseTest'
  | 'UninstallRelease'
  | 'UpdateRelease';

const { methods } = service(tillerService);

/** Methods that change nothing may be called again when nobody answered. */
export const idempotentMethods: readonly string[] = methods
  .filter(({ idempotency }) => idempotency !== 'UNKNOWN')
  .map(({ name }) => name);

/** Methods whose request has a chart and can be a dry run: by name, the number of its `dry_run`. */
export const dryRunFields: ReadonlyMap<string, number> = new Map(
  methods.flatMap(({ name, request }) => {
    const dryRun = request.byName.get('dry_run');
    return dryRun && request.byName.has('chart') ? [[name, dryRun.number] as const] : [];
  }),
);

/** Methods whose request names a release: by name, the number of that field. */
export const nameFields: ReadonlyMap<string, number> = new Map(
  methods.flatMap(({ name, request }) => {
    const field = request.byName.get('name');
    return field ? [[name, field.number] as const] : [];
  }),
);
