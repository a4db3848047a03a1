export { Budget, type Holder } from './budget.ts';
export { type CallContext, minTimeoutMs, requestIdOf } from './call-context.ts';
export {
  Code,
  codeName,
  codeToHttpStatus,
  codeToReason,
  httpStatusToCode,
  type Reason,
  reasons,
  toCode,
} from './code.ts';
export {
  type Consistency,
  consistencyHeaders,
  readConsistency,
  writeConsistency,
} from './consistency.ts';
export { abortReason, type CallScope, callScope, orAborted, type ScopeOptions } from './deadline.ts';
export {
  afterWrite,
  GatewayError,
  type GatewayErrorOptions,
  invalidArgument,
  reasonOf,
  stepFailed,
  unavailable,
  writeLost,
} from './gateway-error.ts';
export {
  decompressFrame,
  encodeGrpcMessage,
  type Frame,
  FrameReader,
  formatGrpcTimeout,
  framePrefixBytes,
  grpcContentType,
  header,
  isGrpcContentType,
  parseGrpcTimeout,
  toFrame,
} from './grpc.ts';
export { errorToHttpStatus, type HttpRequest, type HttpResponse, headerOf, isGone } from './http.ts';
export { Limiter } from './limiter.ts';
export { localPath, withoutLocalPaths } from './local-paths.ts';
export { type ByteStream, type ReadBounds, readBounded } from './read-bounded.ts';
export { createSocketFolder } from './socket-folder.ts';
export {
  inThread,
  type Job,
  maxHereBytes,
  sharedThreads,
  ThreadPool,
  type ThreadPoolOptions,
  whereItFits,
} from './thread-pool.ts';
