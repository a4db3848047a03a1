import { type Route, sendContent } from '../../http/index.ts';
import type { HelmWrapperOptions } from './call.ts';
import { createChangeRoutes } from './change-routes.ts';
import { createChartRoutes } from './chart-routes.ts';
import { environmentRoute } from './environment.ts';
import { createReadRoutes } from './read-routes.ts';
import { createUploadRoutes } from './upload-routes.ts';

export type { HelmWrapperOptions } from './call.ts';

/** The paths of this API, also below a cluster. */
export const helmWrapperPaths = /^(?:\/clusters\/[^/]+)?\/api\//;

/** What helm-wrapper says at its root, for probes and people that ask it. */
export const helmWrapperHome: Route = {
  template: '/',
  verbs: ['GET'],
  summary: 'That this is helm-wrapper.',
  operation: {
    operationId: 'HelmWrapperHome',
    tags: ['helm-wrapper'],
    summary: 'That this is helm-wrapper.',
    responses: {
      200: { description: 'The answer.', content: { 'text/plain': { schema: { type: 'string' } } } },
    },
  },
  answer: exchange =>
    sendContent(exchange, {
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: Buffer.from('Welcome helm wrapper server'),
    }),
};

/**
 * The API of helm-wrapper (https://github.com/opskumu/helm-wrapper), so that its dashboards can be pointed here. Contract:
 * docs/helm-wrapper.md.
 */
export function createHelmWrapperRoutes(options: HelmWrapperOptions): Route[] {
  return [
    ...createReadRoutes(options),
    ...createChangeRoutes(options),
    ...createChartRoutes(options),
    ...createUploadRoutes(options),
    environmentRoute(options),
  ];
}
