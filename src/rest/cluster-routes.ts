import type { Backend, Cluster, Registry, SourceProblem } from '../clusters/index.ts';
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
  orAborted,
  withoutLocalPaths,
} from '../protocol/index.ts';
import { callUnary, isLive, type ReleaseService } from '../releases/index.ts';
import { answerStream, type LiveEvent, lastEventId, liveFormat, resumeAfter } from './answer-stream.ts';
import {
  type ClusterReply,
  checkMergedBytes,
  mergeWhereItFits,
  readReleaseQuery,
  toLineWhereItFits,
} from './merge-releases.ts';
import { bindRequest } from './request-message.ts';
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

/** One request that asks many clusters. */
interface Asking {
  readonly exchange: Exchange;
  readonly client: CallContext;
  readonly clusters: readonly Cluster[];
  /** Time limit per cluster. */
  readonly timeoutMs: number;
}

/** A question that can be put to many clusters, and how the answers look. May work in a thread, so that it has a context. */
interface Question {
  ask(backend: Backend, context: CallContext): Promise<Uint8Array>;
  /** A cluster's own line. */
  line(reply: ClusterReply, context: CallContext): Buffer | Promise<Buffer>;
  /** One document of all. */
  whole(replies: readonly ClusterReply[], context: CallContext): Buffer | Promise<Buffer>;
}

/** How one cluster answered. */
type Part = { readonly cluster: string; readonly durationMs: number } & (
  | { readonly value: Uint8Array }
  | { readonly error: GatewayError }
);

/** The routes over many clusters: their list, what can be asked of all of them, and the changes of all as one stream. */
export function createClusterRoutes(options: ClusterRouteOptions): Route[] {
  const { service, registry, timeoutMs, heartbeatMs, stopping } = options;
  const methodOf = (name: string) => service.methods.find(({ contract }) => contract.name === name)!;
  const list = methodOf('SummarizeReleases').contract;
  const version = methodOf('GetVersion').contract;
  const watch = methodOf('WatchReleases');
  if (watch.kind !== 'streaming') throw new Error('the contract has no stream of changes');
  const overAll = (
    contract: Method,
    summary: string,
    answer: (asking: Asking) => Promise<Answered>,
  ): Route => ({
    template: `/clusters/-${contract.bindings[0]!.path}`,
    verbs: ['GET'],
    isLive: isLive(contract),
    summary,
    answer: exchange =>
      exchange.withContext(async client =>
        answer({ exchange, client, clusters: clustersOf(exchange, registry), timeoutMs }),
      ),
  });
  const questionToAll = (contract: Method, toQuestion: (exchange: Exchange) => Question): Route => {
    const summary = `${contract.comment.split('\n', 1)[0]} Asks all clusters, or those of cluster=a&cluster=b.`;
    return overAll(contract, summary, asking => {
      const answer = wantsLines(asking.exchange) ? answerLines : answerWhole;
      return answer(asking, toQuestion(asking.exchange));
    });
  };
  return [
    {
      template: '/clusters',
      verbs: ['GET'],
      summary: 'Lists the clusters and their states; with ?check each is asked first.',
      answer: exchange => listClusters(exchange, options),
    },
    questionToAll(list, ({ query }) => releasesQuestion(service, bindRequest(list, {}, query))),
    questionToAll(version, () => versionsQuestion(service)),
    overAll(
      watch.contract,
      'Tells of each change to a release of all clusters, or of cluster=a&cluster=b, as it happens.',
      ({ exchange, client, clusters }) => {
        const message = bindRequest(watch.contract, {}, exchange.query);
        const requestAfter = (id: string) => resumeAfter(message, id);
        const lastId = lastEventId(exchange) || exchange.query.get('resume_after') || '';
        const events = watchAll(
          clusters,
          { method: watch, requestAfter, lastId, heartbeatMs, stopping },
          client,
        );
        const format = liveFormat<LiveEvent>(exchange, event => event);
        return answerStream(exchange, events, client, format);
      },
    ),
  ];
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
  const list = {
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
async function answerWhole(asking: Asking, question: Question): Promise<Answered> {
  const { exchange, client, clusters } = asking;
  const parts = new Map<string, Part>();
  const { hold } = exchange;
  let held = 0;
  const ask = async (backend: Backend, context: CallContext) => {
    const reply = await question.ask(backend, context);
    hold.answer(reply.length);
    held += reply.length;
    return reply;
  };
  await askAll(asking, ask, part => void parts.set(part.cluster, part));
  if (client.signal.aborted) throw GatewayError.from(client.signal.reason);
  const inOrder = clusters.flatMap(({ name }) => parts.get(name) ?? []);
  const json = await question.whole(inOrder.map(toReply), client);
  hold.sent(held);
  return sendJson(exchange, json);
}

/** Each cluster's part on a line, as soon as it is there. */
async function answerLines(asking: Asking, question: Question): Promise<Answered> {
  const { exchange, client } = asking;
  const lines = new StreamWriter(exchange, client.signal);
  const lineOf = async (part: Part) => question.line(toReply(part), client);
  await askAll(asking, question.ask, async part => {
    const line = lineOf(part).catch((error: unknown) => lineOf({ ...part, error: GatewayError.from(error) }));
    await lines.write(await line);
  });
  lines.end();
  return { code: Code.OK, bytes: lines.bytes };
}

/**
 * Asks clusters all at once. One that fails or is slow costs its own part, and `timeoutMs` at the most.
 * @param onPart runs for each cluster as soon as it has answered or failed
 */
async function askAll(
  { clusters, client, timeoutMs }: Asking,
  ask: Question['ask'],
  onPart: (part: Part) => void | Promise<void>,
): Promise<void> {
  // one timer and one listener at the client's signal for all, however many there are
  const message = `the cluster did not answer within ${timeoutMs / 1000} s (--cluster-timeout)`;
  const late = () => new GatewayError(Code.DEADLINE_EXCEEDED, message);
  const scope = callScope({ ...client, timeoutMs, late });
  const context: CallContext = { ...client, signal: scope.signal, deadline: scope.deadline };
  const askOne = async (cluster: Cluster) => {
    const startedAt = performance.now();
    const about = () => ({ cluster: cluster.name, durationMs: performance.now() - startedAt });
    let part: Part;
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

function toReply(part: Part): ClusterReply {
  const about = { duration_ms: Math.round(part.durationMs * 10) / 10 };
  return 'error' in part
    ? { cluster: part.cluster, about: { ...failed(part.error), ...about } }
    : { cluster: part.cluster, reply: part.value, about };
}

function failed(error: GatewayError): object {
  const { code, ...more } = errorBody(error);
  return { ok: false, error: { code, status: codeName(code), ...more } };
}

/** @param request of SummarizeReleases */
function releasesQuestion(service: ReleaseService, request: Uint8Array): Question {
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
