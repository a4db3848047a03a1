export { createReleaseService, type ReleaseMethod, type ReleaseService } from './release-service.ts';
