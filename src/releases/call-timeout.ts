/** What a write may take in the gateway beyond the time that it asks Tiller to take. */
const marginMs = 30_000;

const dayMs = 24 * 3_600_000;

/**
 * How long a call that waits in Tiller has to be let run at least, from the request's `timeout` field.
 * @param timeoutSeconds as the caller gave it: whatever it is, the result is between 0 and a day
 */
export function minTimeoutMs(timeoutSeconds: bigint): number {
  if (timeoutSeconds <= 0n) return 0;
  return Math.min(Number(timeoutSeconds) * 1000 + marginMs, dayMs);
}
