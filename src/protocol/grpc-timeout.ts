import { invalidArgument } from './gateway-error.ts';

/** Milliseconds per unit of `grpc-timeout`. */
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** setTimeout fires at once above 2^31−1 ms; a day is more than any call to Tiller needs. */
const maxTimeoutMs = 24 * 3_600_000;

/**
 * A `grpc-timeout` header (`5S`, `250m`) in milliseconds, a day at the most.
 * @throws GatewayError INVALID_ARGUMENT when it is not a number of up to 8 digits and a unit
 */
export function parseGrpcTimeout(value: string): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value.trim());
  const unit = units[match?.[2] ?? ''];
  if (!match || unit === undefined)
    throw invalidArgument(
      `Grpc-Timeout: ${JSON.stringify(value.slice(0, 20))} is not up to 8 digits and one of H M S m u n`,
    );
  return Math.min(Number(match[1]) * unit, maxTimeoutMs);
}

/** Milliseconds as a `grpc-timeout` header, which has room for 8 digits. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const milliseconds = Math.max(0, Math.ceil(timeoutMs));
  return milliseconds < 1e8 ? `${milliseconds}m` : `${Math.min(Math.ceil(milliseconds / 1000), 99_999_999)}S`;
}
