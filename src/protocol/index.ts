export { Budget, type Holder } from './budget.ts';
export { type CallContext, minTimeoutMs, requestIdOf } from './call-context.ts';
export { Code, codeName, toCode } from './code.ts';
export {
  abortReason,
  type CallScope,
  callScope,
  orAborted,
  type ScopeOptions,
} from './deadline.ts';
export {
  GatewayError,
  type GatewayErrorOptions,
  invalidArgument,
  stepFailed,
  unavailable,
  writeLost,
} from './gateway-error.ts';
export { decompressFrame, type Frame, FrameReader, framePrefixBytes, toFrame } from './grpc-frame.ts';
export {
  decodeGrpcMessage,
  encodeGrpcMessage,
  formatGrpcTimeout,
  grpcContentType,
  header,
  isGrpcContentType,
  parseGrpcTimeout,
} from './grpc-headers.ts';
export {
  codeToHttpStatus,
  errorToHttpStatus,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  httpStatusToCode,
  isGone,
} from './http.ts';
export { type ByteStream, type ReadBounds, readBounded } from './read-bounded.ts';
export { codeToReason, type Reason, reasons } from './reason.ts';
export { reasonOf } from './reason-of.ts';
