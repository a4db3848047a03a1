/**
 * The closed set of status codes: google.rpc.Code, which is also gRPC's.
 * Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
 */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Code = (typeof Code)[keyof typeof Code];

const names = Object.keys(Code);

/** The code's name, such as `NOT_FOUND`; what is not in the set counts as `UNKNOWN`. */
export function codeName(code: number): string {
  return names[code] ?? 'UNKNOWN';
}

/** A code read from outside: what is not in the set becomes UNKNOWN, as the gRPC specification asks. */
export function toCode(value: number): Code {
  return Number.isInteger(value) && value >= 0 && value < names.length ? (value as Code) : Code.UNKNOWN;
}
