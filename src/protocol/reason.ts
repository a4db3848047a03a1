import { Code } from './code.ts';

/**
 * The closed list of `reason` in error answers: what a client may branch on, so that it parses no sentence. Each entry
 * is a word of google.rpc's ErrorInfo style and what it means. New reasons are added here and nowhere else.
 */
export const reasons = {
  INVALID_REQUEST: 'a field, parameter, header or body cannot be right',
  UNAUTHENTICATED: 'the caller did not say who it is, or not believably',
  FORBIDDEN: 'the caller may not do this',
  NOT_FOUND: 'nothing is at this path',
  METHOD_NOT_ALLOWED: 'the path takes other verbs; Allow lists them',
  UNSUPPORTED_MEDIA_TYPE: 'the body comes in a media type that is not read here',
  MISDIRECTED_REQUEST: 'the Host of the request is not one of this gateway',
  NOT_SUPPORTED: 'this gateway, cluster or backend cannot do this',
  LIMIT_EXCEEDED: 'a bound of the gateway was passed; the message names it',
  BODY_TOO_LARGE: 'the request body is over the limit',
  OVERLOADED: 'too much is being done at the moment; try again later',
  CLUSTER_NOT_FOUND: 'no cluster has this name',
  CLUSTER_FORBIDDEN: 'this API server may not be named by a request',
  RELEASE_NOT_FOUND: 'no release, or no such revision of it',
  RELEASE_EXISTS: 'a release or an object of that name is there already',
  RELEASE_AMBIGUOUS: 'several namespaces have a release of this name; the message names them',
  RELEASE_BUSY: 'another operation on the release is in progress',
  RELEASE_TOO_LARGE: 'the release or an object of it is larger than the cluster stores',
  QUOTA_EXCEEDED: 'a quota of the namespace or the storage of the cluster is used up',
  CHART_INVALID: 'the chart or its values cannot be read or rendered',
  CHART_UNAVAILABLE: 'the source of the chart does not give it',
  PRECONDITION_FAILED: 'versions or states do not fit together',
  UPSTREAM_UNREACHABLE:
    'the cluster, its API server or its Tiller cannot be reached; `step` says where it ended',
  UPSTREAM_LOST: 'the connection broke after the call was sent; a write may have happened',
  UPSTREAM_FAILED: 'Tiller failed for a reason of its own; the message is its text',
  DEADLINE_EXCEEDED: 'the time of the call was over',
  CANCELLED: 'the client went away',
  INTERNAL: 'a fault of the gateway; its log has the cause under the request id',
} as const;

export type Reason = keyof typeof reasons;

/** The reason of an error that names none: what its code says. */
const byCode: Readonly<Record<Code, Reason>> = {
  [Code.OK]: 'INTERNAL',
  [Code.CANCELLED]: 'CANCELLED',
  [Code.UNKNOWN]: 'UPSTREAM_FAILED',
  [Code.INVALID_ARGUMENT]: 'INVALID_REQUEST',
  [Code.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [Code.NOT_FOUND]: 'NOT_FOUND',
  [Code.ALREADY_EXISTS]: 'RELEASE_EXISTS',
  [Code.PERMISSION_DENIED]: 'FORBIDDEN',
  [Code.RESOURCE_EXHAUSTED]: 'LIMIT_EXCEEDED',
  [Code.FAILED_PRECONDITION]: 'PRECONDITION_FAILED',
  [Code.ABORTED]: 'RELEASE_BUSY',
  [Code.OUT_OF_RANGE]: 'INVALID_REQUEST',
  [Code.UNIMPLEMENTED]: 'NOT_SUPPORTED',
  [Code.INTERNAL]: 'INTERNAL',
  [Code.UNAVAILABLE]: 'UPSTREAM_UNREACHABLE',
  [Code.DATA_LOSS]: 'INTERNAL',
  [Code.UNAUTHENTICATED]: 'UNAUTHENTICATED',
};

export function codeToReason(code: Code): Reason {
  return byCode[code];
}
