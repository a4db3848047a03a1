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
import {
  type CallContext,
  Code,
  callScope,
  codeName,
  GatewayError,
  headerOf,
  withoutLocalPaths,
} from '../protocol/index.ts';
import { callUnary, type ReleaseService } from '../releases/index.ts';
import { answerStream } from './answer-stream.ts';
import { askAll, type Backend, type Part } from './ask-all.ts';
import { bindRequest } from './bind-request.ts';
import { lastEventId, liveFormat, resumeAfter } from './live-format.ts';
import {
  type ClusterReply,
  checkMergedBytes,
  mergeWhereItFits,
  readReleaseQuery,
  toLineWhereItFits,
} from './merge-releases.ts';
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

/** A question that can be put to many clusters, and how the answers look. May work in a thread, so that it has a context. */
interface Question {
  ask(backend: Backend, context: CallContext): Promise<Uint8Array>;
  /** A cluster's own line. */
  line(reply: ClusterReply, context: CallContext): Buffer | Promise<Buffer>;
  /** One document of all. */
  whole(replies: readonly ClusterReply[], context: CallContext): Buffer | Promise<Buffer>;
}

/** The routes over many clusters: their list, and the questions that can be put to all of them. */
export function createClusterRoutes(options: ClusterRouteOptions): Route[] {
  const { service, timeoutMs } = options;
  const methodOf = (name: string) => service.methods.find(({ contract }) => contract.name === name)!.contract;
  const overAll = (method: Method, question: (exchange: Exchange) => Question): Route => ({
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
  return sendJson(exchange, withoutLocalPaths(JSON.stringify(list)));
}

function clustersOf({ query }: Exchange, registry: ClusterRouteOptions['registry']): readonly Cluster[] {
  const names = query.getAll('cluster');
  return names.length > 0 ? [...new Set(names)].map(name => registry.get(name)) : registry.clusters;
}

function wantsLines({ request }: Exchange): boolean {
  return /(^|,)\s*application\/x-ndjson\s*(;|,|$)/i.test(headerOf(request, 'accept') ?? '');
}

/** One document when the last cluster has answered. */
async function answerWhole(
  exchange: Exchange,
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  question: Question,
): Promise<Answered> {
  const parts = new Map<string, Part<Uint8Array>>();
  const { hold } = exchange;
  let held = 0;
  const ask = async (backend: Backend, context: CallContext) => {
    const reply = await question.ask(backend, context);
    hold.answer(reply.length);
    held += reply.length;
    return reply;
  };
  await askAll(clusters, client, timeoutMs, ask, part => void parts.set(part.cluster, part));
  if (client.signal.aborted) throw GatewayError.from(client.signal.reason);
  const inOrder = clusters.flatMap(({ name }) => parts.get(name) ?? []);
  const json = await question.whole(inOrder.map(toReply), client);
  hold.sent(held);
  return sendJson(exchange, json);
}

/** Each cluster's part on a line, as soon as it is there. */
async function answerLines(
  exchange: Exchange,
  clusters: readonly Cluster[],
  client: CallContext,
  timeoutMs: number,
  question: Question,
): Promise<Answered> {
  const lines = new StreamWriter(exchange, client.signal);
  const lineOf = async (part: Part<Uint8Array>) => question.line(toReply(part), client);
  await askAll(clusters, client, timeoutMs, question.ask, async part => {
    const line = lineOf(part).catch((error: unknown) => lineOf({ ...part, error: GatewayError.from(error) }));
    await lines.write(await line);
  });
  lines.end();
  return { code: Code.OK, bytes: lines.bytes };
}

function toReply(part: Part<Uint8Array>): ClusterReply {
  const about = { duration_ms: Math.round(part.durationMs * 10) / 10 };
  return 'error' in part
    ? { cluster: part.cluster, about: { ...failed(part.error), ...about } }
    : { cluster: part.cluster, reply: part.value, about };
}

function failed(error: GatewayError): object {
  const { code, ...more } = errorBody(error);
  return { ok: false, error: { code, status: codeName(code), ...more } };
}

function releasesQuestion(
  { query }: Exchange,
  service: ReleaseService,
  methodOf: (name: string) => Method,
): Question {
  const request = bindRequest(methodOf('SummarizeReleases'), {}, query);
  const wanted = readReleaseQuery(request);
  const jobOf = ({ signal, hold }: CallContext, replies: readonly ClusterReply[]) => {
    const bytes = replies.reduce((sum, { reply }) => sum + (reply?.length ?? 0), 0);
    return { what: 'the list', bytes, signal, hold };
  };
  return {
    ask: (backend, context) => callUnary(service, 'SummarizeReleases', backend, request, context),
    line: (reply, context) => toLineWhereItFits(jobOf(context, [reply]), reply),
    whole: (replies, context) => {
      const job = jobOf(context, replies);
      checkMergedBytes(job.bytes);
      return mergeWhereItFits(job, wanted, replies);
    },
  };
}

const versionReply = messageType('appscode.swift.v2.GetVersionResponse');

function versionsQuestion(service: ReleaseService): Question {
  const show = ({ cluster, reply, about }: ClusterReply) => {
    if (!reply) return { cluster, ...about };
    const { Version } = JSON.parse(wireToJson(versionReply, reply).toString()) as { Version?: unknown };
    return { cluster, ok: true, version: Version ?? {}, ...about };
  };
  return {
    ask: (backend, context) => callUnary(service, 'GetVersion', backend, Buffer.alloc(0), context),
    line: reply => Buffer.from(`${JSON.stringify(show(reply))}\n`),
    whole: replies => Buffer.from(JSON.stringify({ clusters: replies.map(show) })),
  };
}
