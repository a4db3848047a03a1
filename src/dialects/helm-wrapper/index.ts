import type { Route } from '../../http/index.ts';
import type { HelmWrapperOptions } from './call.ts';
import { createChangeRoutes } from './change-routes.ts';
import { createChartRoutes } from './chart-routes.ts';
import { createReadRoutes } from './read-routes.ts';

export type { HelmWrapperOptions } from './call.ts';

/** The paths of this API, also below a cluster. */
export const helmWrapperPaths = /^(?:\/clusters\/[^/]+)?\/api\//;

/**
 * The API of helm-wrapper (https://github.com/opskumu/helm-wrapper), so that its dashboards can be pointed here. Contract:
 * docs/helm-wrapper.md.
 */
export function createHelmWrapperRoutes(options: HelmWrapperOptions): Route[] {
  return [...createReadRoutes(options), ...createChangeRoutes(options), ...createChartRoutes(options)];
}
