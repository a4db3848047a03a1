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
  NOT_ACCEPTABLE: 'the answer is in none of the media types that Accept names',
  UNSUPPORTED_MEDIA_TYPE: 'the body comes in a media type that is not read here',
  MISDIRECTED_REQUEST: 'the Host of the request is not one of this gateway',
  NOT_SUPPORTED: 'this gateway, cluster or backend cannot do this',
  LIMIT_EXCEEDED: 'a bound of the gateway was passed; the message names it',
  BODY_TOO_LARGE: 'the request body is over the limit',
  SLOW_CLIENT: 'the client takes a stream more slowly than it comes, and was cut off',
  OVERLOADED: 'too much is being done at the moment; try again later',
  CLUSTER_NOT_FOUND: 'no cluster has this name',
  CLUSTER_FORBIDDEN: 'this API server may not be named by a request',
  RELEASE_NOT_FOUND: 'no release, or no such revision of it',
  RELEASE_EXISTS: 'a release or an object of that name is there already',
  RELEASE_AMBIGUOUS: 'several namespaces have a release of this name; the message names them',
  RELEASE_BUSY: 'another operation on the release is in progress',
  UNDO_FAILED:
    'an atomic change failed and was not undone; the message has both errors, or says what is left',
  RELEASE_TOO_LARGE: 'the release or an object of it is larger than the cluster stores',
  QUOTA_EXCEEDED: 'a quota of the namespace or the storage of the cluster is used up',
  CHART_NOT_FOUND: 'the repository has no chart of this name, or no such version of it',
  CHART_INVALID: 'the chart or its values cannot be read or rendered',
  CHART_UNAVAILABLE: 'the source of the chart does not give it',
  REPOSITORY_NOT_FOUND: 'no chart repository has this name',
  CHART_EXISTS: 'this version of the chart was uploaded already; `force` replaces it',
  UPLOADS_FULL: 'the bounds on uploads, or their disk, leave no room; delete some',
  UPLOADS_UNAVAILABLE:
    'the folder of uploads cannot be read or written; the message has the code of the system',
  REPOSITORY_EXISTS: 'a chart repository of that name is there already, and is another one',
  PRECONDITION_FAILED: 'versions or states do not fit together',
  RECORDS_UNAVAILABLE: 'this gateway cannot watch the release records of the cluster; the message says why',
  STOPPING: 'the gateway is about to stop; another one, or the next, goes on',
  UPSTREAM_UNREACHABLE:
    'the cluster, its API server or its Tiller cannot be reached; `step` says where it ended',
  UPSTREAM_LOST: 'the connection broke after the call was sent; a write may have happened',
  UPSTREAM_FAILED: 'Tiller failed for a reason of its own; the message is its text',
  DEADLINE_EXCEEDED: 'the time of the call was over',
  CANCELLED: 'the client went away',
  INTERNAL: 'a fault of the gateway; its log has the cause under the request id',
} as const;

export type Reason = keyof typeof reasons;

/**
 * The closed set of status codes: google.rpc.Code, which is also gRPC's; each with its HTTP status, and with the reason
 * of an error that names none.
 * Sources: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md, and for the statuses the table in
 * google/rpc/code.proto, as swift's framework has it
 */
const codes = {
  OK: [0, 200, 'INTERNAL'],
  CANCELLED: [1, 499, 'CANCELLED'],
  UNKNOWN: [2, 500, 'UPSTREAM_FAILED'],
  INVALID_ARGUMENT: [3, 400, 'INVALID_REQUEST'],
  DEADLINE_EXCEEDED: [4, 504, 'DEADLINE_EXCEEDED'],
  NOT_FOUND: [5, 404, 'NOT_FOUND'],
  ALREADY_EXISTS: [6, 409, 'RELEASE_EXISTS'],
  PERMISSION_DENIED: [7, 403, 'FORBIDDEN'],
  RESOURCE_EXHAUSTED: [8, 429, 'LIMIT_EXCEEDED'],
  FAILED_PRECONDITION: [9, 400, 'PRECONDITION_FAILED'],
  ABORTED: [10, 409, 'RELEASE_BUSY'],
  OUT_OF_RANGE: [11, 400, 'INVALID_REQUEST'],
  UNIMPLEMENTED: [12, 501, 'NOT_SUPPORTED'],
  INTERNAL: [13, 500, 'INTERNAL'],
  UNAVAILABLE: [14, 503, 'UPSTREAM_UNREACHABLE'],
  DATA_LOSS: [15, 500, 'INTERNAL'],
  UNAUTHENTICATED: [16, 401, 'UNAUTHENTICATED'],
} as const satisfies Record<string, readonly [code: number, status: number, reason: Reason]>;

export const Code = Object.fromEntries(Object.entries(codes).map(([name, [code]]) => [name, code])) as {
  readonly [Name in keyof typeof codes]: (typeof codes)[Name][0];
};

export type Code = (typeof Code)[keyof typeof Code];

const names = Object.keys(codes);
const rows = Object.values(codes);

/** The code's name, such as `NOT_FOUND`; what is not in the set counts as `UNKNOWN`. */
export function codeName(code: number): string {
  return names[code] ?? 'UNKNOWN';
}

/** A code read from outside: what is not in the set becomes UNKNOWN, as the gRPC specification asks. */
export function toCode(value: number): Code {
  return rows[value]?.[0] ?? Code.UNKNOWN;
}

export function codeToHttpStatus(code: Code): number {
  return rows[code]![1];
}

/** The reason of an error that names none. */
export function codeToReason(code: Code): Reason {
  return rows[code]![2];
}

/** The nearest code to a status, for answers whose body is passed on unread. */
export function httpStatusToCode(status: number): Code {
  return status < 400 ? Code.OK : (codeOfStatus.get(status) ?? Code.UNKNOWN);
}

/** Of several codes with one status the smallest counts, but for a few statuses that HTTP uses in a wider sense. */
const codeOfStatus = new Map<number, Code>([
  ...rows.toReversed().map(([code, status]): [number, Code] => [status, code]),
  [405, Code.UNIMPLEMENTED],
  [409, Code.ABORTED],
  [413, Code.RESOURCE_EXHAUSTED],
]);
