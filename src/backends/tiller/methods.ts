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
export const dryRunFields = fieldNumbers('dry_run', 'chart');

/** Methods whose request names a release: by name, the number of that field. */
export const nameFields = fieldNumbers('name', 'name');

/** Where a field stands in the requests that have it and another, by method. */
function fieldNumbers(name: string, beside: string): ReadonlyMap<string, number> {
  const having = methods.filter(({ request }) => request.byName.has(name) && request.byName.has(beside));
  return new Map(having.map(method => [method.name, method.request.byName.get(name)!.number]));
}
