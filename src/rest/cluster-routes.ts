import type { Cluster, ClusterReport, Registry, SourceProblem } from '../clusters/index.ts';
import { type Method, messageType, wireToJson } from '../codec/index.ts';
import {
  type Answered,
  type Exchange,
  errorBody,
  type Route,
  StreamWriter,
  sendJson,
} from '../http/index.ts';
import { type CallContext, Code, callScope, codeName, GatewayError, headerOf } from '../protocol/index.ts';
import { callUnary, type ReleaseService } from '../releases/index.ts';
import { answerStream } from './answer-stream.ts';
import { askAll, type Backend, type Part } from './ask-all.ts';
import { bindRequest } from './bind-request.ts';
import { lastEventId, liveFormat, resumeAfter } from './live-format.ts';
import { type ReleasePage, readReleasePage, readReleaseQuery, type Summary } from './merge-releases.ts';
import { watchAll } from './watch-all.ts';

export interface ClusterRouteOptions {
  readonly registry: Pick<Registry, 'clusters' | 'get' | 'defaultCluster'>;
  readonly service: ReleaseService;
  /** What is wrong with the configuration of the clusters, which was read again while the gateway ran. */
  readonly problem: () => { readonly problem?: SourceProblem };
  /** Time limit per cluster for what asks many. */
  readonly timeoutMs: number;
  /** Time without an event after which a stream of changes gets a heartbeat. */
  readonly heartbeatMs: number;
  /** Fires when the gateway begins to stop: streams of changes end then. */
  readonly stopping: AbortSignal;
}

/** The answer to `GET /clusters`. */
export interface ClusterList {
  readonly default?: string;
  readonly clusters: readonly ClusterReport[];
  readonly problem?: SourceProblem;
}

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

/** The routes over many clusters: their list, and the questions that can be put to all of them. */
export function createClusterRoutes(options: ClusterRouteOptions): Route[] {
  const { service, timeoutMs } = options;
  const methodOf = (name: string) => service.methods.find(({ contract }) => contract.name === name)!.contract;
  const overAll = <T>(method: Method, question: (exchange: Exchange) => Question<T>): Route => ({
    template: `/clusters/-${method.bindings[0]!.path}`,
    verbs: ['GET'],
    summary: `${method.comment.split('\n', 1)[0]} Asks all clusters, or those of cluster=a&cluster=b.`,
    answer: exchange =>
      exchange.withContext(async client => {
        const clusters = clustersOf(exchange, options.registry);
        const ask = wantsLines(exchange) ? answerLines : answerWhole;
        return ask(exchange, clusters, client, timeoutMs, question(exchange));
      }),
  });
  return [
    {
      template: '/clusters',
      verbs: ['GET'],
      summary: 'Lists the clusters and their states; with ?check each is asked first.',
      answer: exchange => listClusters(exchange, options),
    },
    overAll(methodOf('SummarizeReleases'), exchange => releasesQuestion(exchange, service, methodOf)),
    overAll(methodOf('GetVersion'), () => versionsQuestion(service)),
    watchRoute(options),
  ];
}

/** The changes of all clusters as one stream. */
function watchRoute({ service, registry, heartbeatMs, stopping }: ClusterRouteOptions): Route {
  const method = service.methods.find(({ contract }) => contract.name === 'WatchReleases');
  if (method?.kind !== 'streaming') throw new Error('the contract has no stream of changes');
  const { contract } = method;
  return {
    template: `/clusters/-${contract.bindings[0]!.path}`,
    verbs: ['GET'],
    isLive: true,
    summary: `Tells of each change to a release of all clusters, or of cluster=a&cluster=b, as it happens.`,
    answer: exchange =>
      exchange.withContext(async client => {
        const message = bindRequest(contract, {}, exchange.query);
        const requestAfter = (id: string) => resumeAfter(message, id);
        const lastId = lastEventId(exchange) || exchange.query.get('resume_after') || '';
        const wanted = { method, requestAfter, lastId, heartbeatMs, stopping };
        const events = watchAll(clustersOf(exchange, registry), wanted, client);
        return answerStream(
          exchange,
          events,
          client,
          liveFormat(exchange, event => event),
        );
      }),
  };
}

async function listClusters(
  exchange: Exchange,
  { registry, problem, timeoutMs }: ClusterRouteOptions,
): Promise<Answered> {
  if (exchange.query.has('check')) {
    await exchange.withContext(async client => {
      const late = () => new GatewayError(Code.DEADLINE_EXCEEDED, `no answer within ${timeoutMs} ms`);
      const scope = callScope({ ...client, timeoutMs, late });
      await Promise.allSettled(registry.clusters.map(cluster => cluster.check(scope.signal)));
      scope.end();
    });
  }
  const list: ClusterList = {
    ...(registry.defaultCluster !== undefined && { default: registry.defaultCluster }),
    ...problem(),
    clusters: registry.clusters.map(cluster => cluster.report()),
  };
  return sendJson(exchange, JSON.stringify(list));
}

function clustersOf({ query }: Exchange, registry: ClusterRouteOptions['registry']): readonly Cluster[] {
  const names = query.getAll('cluster');
  return names.length > 0 ? [...new Set(names)].map(name => registry.get(name)) : registry.clusters;
}

function wantsLines({ request }: Exchange): boolean {
  return /(^|,)\s*application\/x-ndjson\s*(;|,|$)/i.test(headerOf(request, 'accept') ?? '');
}

/** One document when the last cluster has answered. */
async function answerWhole<T>(
  exchange: Exchange,
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  question: Question<T>,
): Promise<Answered> {
  const parts = new Map<string, Part<T>>();
  await askAll(clusters, client, timeoutMs, question.ask, part => void parts.set(part.cluster, part));
  if (client.signal.aborted) throw GatewayError.from(client.signal.reason);
  const inOrder = clusters.flatMap(({ name }) => parts.get(name) ?? []);
  const answered = inOrder.flatMap(part => ('value' in part ? [part] : []));
  const results = inOrder.map(part => ({
    cluster: part.cluster,
    ...('value' in part ? { ok: true, ...question.result(part.value) } : failed(part.error)),
    duration_ms: rounded(part.durationMs),
  }));
  return sendJson(exchange, JSON.stringify({ ...question.whole(answered), clusters: results }));
}

/** Each cluster's part on a line, as soon as it is there. */
async function answerLines<T>(
  exchange: Exchange,
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  question: Question<T>,
): Promise<Answered> {
  const lines = new StreamWriter(exchange, client.signal);
  await askAll(clusters, client, timeoutMs, question.ask, part => {
    const { cluster } = part;
    const line = 'value' in part ? question.line(cluster, part.value) : { cluster, ...failed(part.error) };
    return lines.write(`${JSON.stringify({ ...line, duration_ms: rounded(part.durationMs) })}\n`);
  });
  lines.end();
  return { code: Code.OK, bytes: lines.bytes };
}

function failed(error: GatewayError): object {
  const { code, ...more } = errorBody(error);
  return { ok: false, error: { code, status: codeName(code), ...more } };
}

function rounded(durationMs: number): number {
  return Math.round(durationMs * 10) / 10;
}

function releasesQuestion(
  { query }: Exchange,
  service: ReleaseService,
  methodOf: (name: string) => Method,
): Question<ReleasePage> {
  const request = bindRequest(methodOf('SummarizeReleases'), {}, query);
  const { merge } = readReleaseQuery(request);
  const counts = ({ releases, total }: ReleasePage) => ({
    count: String(releases.length),
    total: String(total),
  });
  const named = (cluster: string) => (release: Summary) => ({ cluster, ...release });
  return {
    ask: async (backend, context) =>
      readReleasePage(await callUnary(service, 'SummarizeReleases', backend, request, context)),
    result: counts,
    line: (cluster, page) => ({
      cluster,
      ok: true,
      ...counts(page),
      releases: page.releases.map(named(cluster)),
    }),
    whole(parts) {
      const releases = merge(parts.flatMap(({ cluster, value }) => value.releases.map(named(cluster))));
      const total = parts.reduce((sum, { value }) => sum + value.total, 0);
      return { count: String(releases.length), total: String(total), releases };
    },
  };
}

const versionReply = messageType('appscode.swift.v2.GetVersionResponse');

function versionsQuestion(service: ReleaseService): Question<unknown> {
  return {
    async ask(backend, context) {
      const reply = await callUnary(service, 'GetVersion', backend, Buffer.alloc(0), context);
      const { Version } = JSON.parse(wireToJson(versionReply, reply).toString()) as { Version?: unknown };
      return Version ?? {};
    },
    result: version => ({ version }),
    line: (cluster, version) => ({ cluster, ok: true, version }),
    whole: () => ({}),
  };
}
