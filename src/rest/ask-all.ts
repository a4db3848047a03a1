import type { Cluster, Upstream } from '../clusters/index.ts';
import { type CallContext, Code, callScope, GatewayError, orAborted } from '../protocol/index.ts';

/** How one cluster answered. */
export type Part<T> = {
  readonly cluster: string;
  readonly durationMs: number;
} & ({ readonly value: T } | { readonly error: GatewayError });

/** What a cluster's releases are asked by. */
export type Backend = Upstream['backend'];

/**
 * Asks clusters all at once. One that fails or is slow costs its own part, and `timeoutMs` at the most.
 * @param onPart runs for each cluster as soon as it has answered or failed
 */
export async function askAll<T>(
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  ask: (backend: Backend, context: CallContext) => Promise<T>,
  onPart: (part: Part<T>) => void | Promise<void>,
): Promise<void> {
  // one timer and one listener at the client's signal for all, however many there are
  const scope = callScope({ ...client, timeoutMs, late: () => lateError(timeoutMs) });
  const context: CallContext = { ...client, signal: scope.signal, deadline: scope.deadline };
  const askOne = async (cluster: Cluster) => {
    const startedAt = performance.now();
    const about = () => ({ cluster: cluster.name, durationMs: performance.now() - startedAt });
    let part: Part<T>;
    try {
      const answer = cluster.withBackend(scope.signal, backend => ask(backend, context));
      part = { value: await orAborted(answer, scope.signal), ...about() };
    } catch (error) {
      part = { error: GatewayError.from(error), ...about() };
    }
    await onPart(part);
  };
  try {
    await Promise.all(clusters.map(askOne));
  } finally {
    scope.end();
  }
}

function lateError(timeoutMs: number): GatewayError {
  const message = `the cluster did not answer within ${timeoutMs / 1000} s (--cluster-timeout)`;
  return new GatewayError(Code.DEADLINE_EXCEEDED, message);
}
