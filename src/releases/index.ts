export {
  callUnary,
  createReleaseService,
  type ReleaseMethod,
  type ReleaseService,
} from './release-service.ts';
export { swiftJson } from './swift-json.ts';
export { checkTillerRequest } from './tiller-request.ts';
