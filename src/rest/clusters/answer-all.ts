import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Backend } from '../../backends/index.ts';
import type { Cluster, Registry } from '../../clusters/index.ts';
import { type CallContext, Code, codeName, GatewayError } from '../../protocol/index.ts';
import type { ReleaseService } from '../../releases/index.ts';
import { type Answered, bindRequest, ClientSignal, type Exchange, headerOf, type RestApi } from '../index.ts';
import { askAll, type Part } from './ask-all.ts';
import { sendJson } from './list-clusters.ts';
import { type ReleasePage, readReleaseQuery, type Summary } from './merge-releases.ts';
import { askVersion } from './merge-versions.ts';

export const releasesPath = '/tiller/v2/releases/json';
export const versionPath = '/tiller/v2/version/json';

/** A question that can be put to many clusters, and how the answers look. */
interface Question<T> {
  ask(backend: Backend, context: CallContext): Promise<T>;
  /** A cluster's own line. */
  line(cluster: string, value: T): object;
  /** What a cluster that answered has in the list of results. */
  result(value: T): object;
  /** Everything but the results. */
  whole(parts: readonly { readonly cluster: string; readonly value: T }[]): object;
}

/**
 * Answers a request for many clusters: all, or those of `cluster=a&cluster=b`. As JSON one document when the last has
 * answered; with `Accept: application/x-ndjson` each cluster's part on a line as soon as it is there.
 * @throws GatewayError for a path that cannot be asked of many, an unknown cluster, or a filter that cannot be right
 */
export async function answerAll(
  exchange: Exchange,
  path: string,
  {
    registry,
    service,
    api,
    timeoutMs,
  }: { registry: Registry; service: ReleaseService; api: RestApi; timeoutMs: number },
): Promise<Answered> {
  const names = exchange.query.getAll('cluster');
  const clusters = names.length > 0 ? [...new Set(names)].map(name => registry.get(name)) : registry.clusters;
  if (path === versionPath) return answer(exchange, clusters, timeoutMs, versionsQuestion(service));
  if (path === releasesPath)
    return answer(exchange, clusters, timeoutMs, releasesQuestion(exchange, api, service));
  const message = `only ${releasesPath} and ${versionPath} can be asked of many clusters at once`;
  throw new GatewayError(Code.NOT_FOUND, message);
}

async function answer<T>(
  exchange: Exchange,
  clusters: readonly Cluster[],
  timeoutMs: number,
  question: Question<T>,
): Promise<Answered> {
  const client = new ClientSignal(exchange.request, exchange.response);
  const context: CallContext = {
    signal: client.signal,
    deadline: client.deadline,
    requestId: exchange.requestId,
  };
  try {
    return wantsLines(exchange)
      ? await answerLines(exchange, clusters, context, timeoutMs, question)
      : await answerWhole(exchange, clusters, context, timeoutMs, question);
  } finally {
    client.release();
  }
}

async function answerWhole<T>(
  exchange: Exchange,
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  question: Question<T>,
): Promise<Answered> {
  const parts: Part<T>[] = [];
  await askAll(clusters, client, timeoutMs, question.ask, part => parts.push(part));
  if (client.signal.aborted) throw GatewayError.from(client.signal.reason);
  const byName = new Map(parts.map(part => [part.cluster, part]));
  const inOrder = clusters.flatMap(({ name }) => byName.get(name) ?? []);
  const good = inOrder.flatMap(part =>
    'value' in part ? [{ cluster: part.cluster, value: part.value }] : [],
  );
  const results = inOrder.map(part => ({
    cluster: part.cluster,
    ...('value' in part ? { ok: true, ...question.result(part.value) } : failed(part.error)),
    duration_ms: rounded(part.durationMs),
  }));
  return sendJson(exchange, { ...question.whole(good), clusters: results });
}

async function answerLines<T>(
  exchange: Exchange,
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  question: Question<T>,
): Promise<Answered> {
  const response = exchange.response as Exchange['response'] & Writable;
  response.statusCode = 200;
  response.setHeader('Content-Type', 'application/x-ndjson');
  response.setHeader('Cache-Control', 'no-store, no-transform');
  response.setHeader('X-Accel-Buffering', 'no');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  let bytes = 0;
  // one line a cluster: what a slow client leaves in the buffer has the clusters' number as its bound
  await askAll(clusters, client, timeoutMs, question.ask, part => {
    if (response.destroyed) return;
    const line =
      'value' in part
        ? question.line(part.cluster, part.value)
        : { cluster: part.cluster, ...failed(part.error) };
    const text = `${JSON.stringify({ ...line, duration_ms: rounded(part.durationMs) })}\n`;
    bytes += Buffer.byteLength(text);
    response.write(text);
  });
  if (response.writableNeedDrain) await once(response, 'drain', { signal: client.signal }).catch(() => {});
  response.end();
  return { code: Code.OK, bytes };
}

function failed({ code, message }: GatewayError): object {
  return { ok: false, error: { code, status: codeName(code), message } };
}

function rounded(durationMs: number): number {
  return Math.round(durationMs * 10) / 10;
}

function wantsLines({ request }: Exchange): boolean {
  return /(^|,)\s*application\/x-ndjson\s*(;|,|$)/i.test(headerOf(request, 'accept') ?? '');
}

function releasesQuestion(exchange: Exchange, api: RestApi, service: ReleaseService): Question<ReleasePage> {
  const route = api.find(releasesPath)?.routes.get('GET');
  if (!route) throw new Error(`${releasesPath} is no route`);
  const query = readReleaseQuery(service, bindRequest({ route, parameters: {} }, exchange.query, undefined));
  const counts = ({ releases, total }: ReleasePage) => ({
    count: String(releases.length),
    total: String(total),
  });
  return {
    ask: query.ask,
    result: counts,
    line: (cluster, page) => ({
      cluster,
      ok: true,
      ...counts(page),
      releases: page.releases.map(withCluster(cluster)),
    }),
    whole(parts) {
      const all = parts.flatMap(({ cluster, value }) => value.releases.map(withCluster(cluster)));
      const releases = query.merge(all);
      const total = parts.reduce((sum, { value }) => sum + value.total, 0);
      return { count: String(releases.length), total: String(total), releases };
    },
  };
}

function withCluster(cluster: string) {
  return (release: Summary) => ({ cluster, ...release });
}

function versionsQuestion(service: ReleaseService): Question<unknown> {
  return {
    ask: (backend, context) => askVersion(service, backend, context),
    result: version => ({ version }),
    line: (cluster, version) => ({ cluster, ok: true, version }),
    whole: () => ({}),
  };
}
