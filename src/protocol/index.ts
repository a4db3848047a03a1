export { Budget, type Holder } from './budget.ts';
export * from './call-context.ts';
export * from './code.ts';
export { abortReason, type CallScope, callScope, orAborted } from './deadline.ts';
export * from './gateway-error.ts';
export * from './grpc.ts';
export * from './http.ts';
export { keepSession } from './keep-session.ts';
export { Limiter } from './limiter.ts';
export { localPath, withoutLocalPaths } from './local-paths.ts';
export { readBounded } from './read-bounded.ts';
export { createSocketFolder } from './socket-folder.ts';
export {
  inThread,
  type Job,
  maxHereBytes,
  sharedThreads,
  startThread,
  ThreadPool,
  whereItFits,
} from './thread-pool.ts';
