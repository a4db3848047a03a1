/** Other APIs over the same releases and charts. They speak to the release service and to `Charts`, never to Tiller. */
export { createHelmWrapperRoutes, helmWrapperHome, helmWrapperPaths } from './helm-wrapper/index.ts';
