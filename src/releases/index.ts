export { tillerRequestCheck } from './check-tiller-request.ts';
export {
  callUnary,
  createReleaseService,
  type ReleaseMethod,
  type ReleaseService,
} from './release-service.ts';
