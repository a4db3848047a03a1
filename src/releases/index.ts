export { type LiveCounts, type LiveOptions, LiveReleases } from './live/live-releases.ts';
export {
  callUnary,
  createReleaseService,
  type ReleaseMethod,
  type ReleaseService,
  swiftJson,
} from './release-service.ts';
export { checkTillerRequest } from './tiller-request.ts';
