export { minTimeoutMs } from './call-timeout.ts';
export { tillerRequestCheck } from './check-tiller-request.ts';
export { createReleaseService, type ReleaseMethod, type ReleaseService } from './release-service.ts';
