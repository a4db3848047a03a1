import type { Route } from '../http/index.ts';
import { type ClusterRouteOptions, createClusterRoutes } from './cluster-routes.ts';
import { landingRoute } from './landing.ts';
import { openApiRoute } from './openapi.ts';
import { createReleaseRoutes, type ReleaseRouteOptions } from './release-routes.ts';

export { forwardRoute } from './release-routes.ts';
export { createUpgradeFront } from './upgrade.ts';

export interface RestOptions extends ReleaseRouteOptions {
  /** The gateway's own version, for the pages that name it. */
  readonly version: string;
  /** Routes of others, such as `/healthz`, for the landing page and the OpenAPI document. */
  readonly pages: readonly Route[];
  /** Answers at `/` in place of the landing page. */
  readonly home?: Route | undefined;
  /** The routes over many clusters, where this gateway serves them. */
  readonly clusters?: Omit<ClusterRouteOptions, 'service'> | undefined;
}

/**
 * All routes: those of the contract, of the clusters, the pages of others, and the two that describe them.
 * @throws Error when the contract contradicts itself
 */
export function createRestRoutes({ version, pages, clusters, home, ...options }: RestOptions): Route[] {
  const releases = createReleaseRoutes(options);
  const others = [
    ...(clusters ? createClusterRoutes({ ...clusters, service: options.service }) : []),
    ...pages,
  ];
  const start = home ?? landingRoute([...releases, ...others], version);
  return [...releases, ...others, openApiRoute(releases, [...others, start], version), start];
}
