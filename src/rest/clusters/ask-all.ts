import type { Backend } from '../../backends/index.ts';
import type { Cluster } from '../../clusters/index.ts';
import { type CallContext, Code, GatewayError } from '../../protocol/index.ts';

/** How one cluster answered. */
export type Part<T> = {
  readonly cluster: string;
  readonly durationMs: number;
} & ({ readonly value: T } | { readonly error: GatewayError });

/**
 * Asks clusters all at once. One that fails or is slow costs its own part, and `timeoutMs` at the most.
 * @param onPart runs for each cluster as soon as it has answered or failed
 */
export async function askAll<T>(
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  ask: (backend: Backend, context: CallContext) => Promise<T>,
  onPart: (part: Part<T>) => void,
): Promise<void> {
  const deadline = Math.min(client.deadline ?? Number.POSITIVE_INFINITY, performance.now() + timeoutMs);
  // one timer and one listener for all, however many there are
  const ended = new AbortController();
  const late = () => ended.abort(new GatewayError(Code.DEADLINE_EXCEEDED, lateMessage(timeoutMs)));
  const timer = setTimeout(late, Math.max(0, deadline - performance.now()));
  const leave = () => ended.abort(client.signal.reason);
  client.signal.addEventListener('abort', leave, { once: true });
  if (client.signal.aborted) leave();
  const { promise: isOver, reject } = Promise.withResolvers<never>();
  isOver.catch(() => {});
  ended.signal.addEventListener('abort', () => reject(ended.signal.reason), { once: true });

  const context: CallContext = { signal: ended.signal, deadline, requestId: client.requestId };
  const askOne = async (cluster: Cluster) => {
    const startedAt = performance.now();
    const about = () => ({ cluster: cluster.name, durationMs: performance.now() - startedAt });
    try {
      const answer = cluster.use(ended.signal, ({ backend }) => ask(backend, context));
      answer.catch(() => {}); // it may fail long after its time was over
      const value = await Promise.race([answer, isOver]);
      onPart({ ...about(), value });
    } catch (error) {
      onPart({ ...about(), error: GatewayError.from(error) });
    }
  };
  try {
    await Promise.all(clusters.map(askOne));
  } finally {
    clearTimeout(timer);
    client.signal.removeEventListener('abort', leave);
  }
}

function lateMessage(timeoutMs: number): string {
  return `the cluster did not answer within ${timeoutMs / 1000} s (--cluster-timeout)`;
}
