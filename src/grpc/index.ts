export type { MessageTap } from './cluster-calls.ts';
export { createGrpcFront } from './front.ts';
export { createGrpcWebRoutes } from './web.ts';
