export { AtomicWrites } from './atomic-writes.ts';
export type { ReceiveUpload } from './chart-service.ts';
export { type LiveOptions, LiveReleases } from './live/live-releases.ts';
export {
  callUnary,
  createReleaseService,
  isLive,
  type ReleaseMethod,
  type ReleaseService,
  type ReleaseServiceOptions,
} from './release-service.ts';
export { replyToJson } from './shared-lists.ts';
export { swiftJson } from './swift-json.ts';
export { toCheckedRequest } from './tiller-request.ts';
export { UnfinishedWrites } from './unfinished-writes.ts';
