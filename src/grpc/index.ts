export { createGrpcFront, type FinishedCall, type GrpcEvents, type GrpcOptions } from './front.ts';
export type { Health } from './health.ts';
export type { MessageTap } from './pass-through.ts';
export { createGrpcWebRoutes } from './web.ts';
