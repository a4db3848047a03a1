export {
  callUnary,
  createReleaseService,
  type ReleaseMethod,
  type ReleaseService,
  swiftJson,
} from './release-service.ts';
export { checkTillerRequest } from './tiller-request.ts';
