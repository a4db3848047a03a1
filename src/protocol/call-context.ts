import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Holder } from './budget.ts';
import { invalidArgument } from './gateway-error.ts';

/** What a call takes from the request that it serves. */
export interface CallContext {
  /** Fires with a GatewayError when the client has gone or its deadline has passed. */
  readonly signal: AbortSignal;
  /** When the client's deadline passes, on the clock of `performance.now()`; undefined where it set none. */
  readonly deadline: number | undefined;
  /** The id of the request in logs. */
  readonly requestId?: string | undefined;
  /** Counts what the request keeps in memory. */
  readonly hold?: Holder | undefined;
  /** Has the call end for this reason, whatever it waits for. */
  abort?(reason: Error): void;
  /** How new the answer of a read has to be; without it, as new as the records are. */
  readonly consistency?: Consistency | undefined;
  /** Is told where the answer of a read comes from, for the header `Tiller-Gateway-Reads`. */
  readonly readsFrom?: ((source: string) => void) | undefined;
}

/** What a write may take in the gateway beyond the time that it asks Tiller to take. */
const marginMs = 30_000;

const dayMs = 24 * 3_600_000;

/**
 * The time that a call which waits in Tiller must be given at least, from the request's `timeout` field.
 * @param timeoutSeconds as the caller gave it: whatever it is, the result is between 0 and a day
 */
export function minTimeoutMs(timeoutSeconds: bigint): number {
  if (timeoutSeconds <= 0n) return 0;
  return Math.min(Number(timeoutSeconds) * 1000 + marginMs, dayMs);
}

/** The caller's `x-request-id` where it is fit for a log line, else a new one. */
export function requestIdOf(given: unknown): string {
  return typeof given === 'string' && /^[\w.:@/+=-]{1,128}$/.test(given) ? given : randomUUID();
}

/** How new the answer of a read has to be. */
export interface Consistency {
  /** Tiller has to be asked. */
  readonly consistent: boolean;
  /** Revisions that the client knows of, by release: an answer must not be older. */
  readonly minRevisions: ReadonlyMap<string, number>;
}

export const consistencyHeaders = { consistent: 'consistent', minRevision: 'min-revision' } as const;

/** More in one request is a mistake. */
const maxRevisions = 100;
const largestRevision = 2 ** 31 - 1;

const anything: Consistency = { consistent: false, minRevisions: new Map() };

/**
 * Reads `consistent` from the query or the headers, and `Min-Revision: NAME=N`, which may come several times, or as a list
 * with commas. In gRPC the headers are metadata.
 * @throws GatewayError INVALID_ARGUMENT for what is malformed
 */
export function readConsistency(headers: IncomingHttpHeaders, query?: URLSearchParams): Consistency {
  const asked = query?.get('consistent') ?? headers[consistencyHeaders.consistent];
  const revisions = headers[consistencyHeaders.minRevision];
  if (asked === undefined && revisions === undefined) return anything;
  return { consistent: toBoolean(asked), minRevisions: toRevisions([revisions ?? []].flat().join(',')) };
}

function toBoolean(text: string | readonly string[] | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === '' || text === 'true' || text === '1') return true;
  throw invalidArgument(`consistent: ${JSON.stringify(String(text).slice(0, 40))} is neither true nor false`);
}

function toRevisions(text: string): Map<string, number> {
  const revisions = new Map<string, number>();
  if (text.trim() === '') return revisions;
  const parts = text.split(',');
  if (parts.length > maxRevisions) throw invalidArgument(`Min-Revision: more than ${maxRevisions} releases`);
  for (const part of parts) {
    const [, name, revision] = /^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,52})=(\d{1,10})\s*$/.exec(part) ?? [];
    const number = Number(revision);
    if (name === undefined || !(number >= 1 && number <= largestRevision))
      throw invalidArgument(`Min-Revision: expected NAME=N, got ${JSON.stringify(part.trim().slice(0, 80))}`);
    revisions.set(name, Math.max(number, revisions.get(name) ?? 0));
  }
  return revisions;
}

/** The same as headers, for the gateway of another cluster. */
export function writeConsistency({ consistent, minRevisions }: Consistency): Record<string, string> {
  return {
    ...(consistent && { [consistencyHeaders.consistent]: 'true' }),
    ...(minRevisions.size > 0 && {
      [consistencyHeaders.minRevision]: [...minRevisions]
        .map(([name, number]) => `${name}=${number}`)
        .join(', '),
    }),
  };
}
