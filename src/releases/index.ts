export { createReleaseService, type ReleaseMethod, type ReleaseService } from './release-service.ts';
export { negativeLimit } from './summarize-releases.ts';
