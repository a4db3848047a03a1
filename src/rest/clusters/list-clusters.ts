import type { ClusterReport, Registry, SourceProblem } from '../../clusters/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import { type Answered, ClientSignal, type Exchange, prettyJson, sendContent } from '../index.ts';

/** The answer to `GET /clusters`. */
export interface ClusterList {
  readonly default?: string;
  readonly clusters: readonly ClusterReport[];
  readonly problem?: SourceProblem;
}

/**
 * Lists the clusters with what is known of them. With `?check` each is asked first, for `timeoutMs` at the most, which
 * opens those that were idle.
 */
export async function listClusters(
  exchange: Exchange,
  registry: Registry,
  about: Pick<ClusterList, 'default' | 'problem'>,
  timeoutMs: number,
): Promise<Answered> {
  if (exchange.query.has('check')) await checkAll(exchange, registry, timeoutMs);
  const list: ClusterList = { ...about, clusters: registry.clusters.map(cluster => cluster.report()) };
  return sendJson(exchange, list);
}

async function checkAll(exchange: Exchange, registry: Registry, timeoutMs: number): Promise<void> {
  const client = new ClientSignal(exchange.request, exchange.response);
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new GatewayError(Code.DEADLINE_EXCEEDED, `no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    const signal = AbortSignal.any([client.signal, late.signal]);
    await Promise.allSettled(registry.clusters.map(cluster => cluster.check(signal)));
  } finally {
    clearTimeout(timer);
    client.release();
  }
}

export async function sendJson(exchange: Exchange, value: unknown): Promise<Answered> {
  const json = Buffer.from(JSON.stringify(value));
  const bytes = await sendContent(exchange.request, exchange.response, {
    status: 200,
    type: 'application/json',
    body: exchange.pretty ? prettyJson(json) : json,
  });
  return { code: Code.OK, bytes };
}
