import type { Charts } from '../charts/index.ts';
import type { Config } from '../config/index.ts';
import { createGrpcFront, createGrpcWebRoutes } from '../grpc/index.ts';
import { createPipeline, type FinishedRequest, type Guard, type Route, sendContent } from '../http/index.ts';
import type { Fronts } from '../listener/index.ts';
import {
  createAccessLog,
  type Health,
  type HealthReport,
  type LoggedRequest,
  type Logger,
  type Metrics,
} from '../observe/index.ts';
import { Budget, Code, withoutLocalPaths } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import { createRestRoutes, createUpgradeFront, forwardRoute } from '../rest/index.ts';
import type { OpenClusters } from './open-clusters.ts';
import { corsOptionsOf } from './options.ts';
import { createRpcTap } from './rpc-log.ts';

export interface FrontOptions {
  readonly config: Config;
  readonly charts: Charts;
  readonly version: string;
  readonly service: ReleaseService;
  readonly clusters: OpenClusters;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly guard: Guard;
  /** Fires when the gateway begins to stop. */
  readonly stopping: AbortSignal;
}

/** What is held of the answers to probes, of which the metrics are the largest. */
const probeBytes = 4 * 1024 * 1024;

/**
 * What answers the listener's requests, with a line of log and a count in the metrics for each; `probes` is what answers
 * on `--probe-addr`: the pages for probes alone, for no cluster but the own one.
 */
export async function createFronts(options: FrontOptions): Promise<{ main: Fronts; probes: Fronts }> {
  const { config, charts, version, service, clusters, health, metrics, log, guard, stopping } = options;
  const { registry, problem } = clusters;
  const logRequest = createAccessLog(log, config.observe.accessLog);
  const finished = (request: LoggedRequest) => {
    metrics.requestFinished(request);
    logRequest(request);
  };
  const grpcOptions = {
    service,
    health,
    stopping,
    maxMessageBytes: config.limits.maxMessageBytes,
  };
  const budget = new Budget(config.limits.inFlightBytes);
  metrics.watch({ inFlightBytes: () => budget.used });
  const pages = createPages(health, metrics);
  const { maxBodyBytes } = config.limits;
  const servesHelmWrapper = config.dialects.names.includes('helm-wrapper');
  const helmWrapper = servesHelmWrapper ? await import('../dialects/index.ts') : undefined;
  const dialects = helmWrapper?.createHelmWrapperRoutes({ service, charts, maxBodyBytes }) ?? [];
  const shared = {
    cors: corsOptionsOf(config),
    guard,
    events: {
      started: () => metrics.requestStarted('http'),
      finished: (request: FinishedRequest) => finished({ ...request, front: 'http' }),
    },
  };
  const http = createPipeline({
    ...shared,
    routes: [
      ...createRestRoutes({
        service,
        version,
        maxBodyBytes,
        disableGetRollback: config.rest.disableGetRollback,
        pages: [...dialects, ...pages],
        home: config.dialects.compat === 'helm-wrapper' ? helmWrapper?.helmWrapperHome : undefined,
        clusters: registry.hasMany
          ? {
              registry,
              problem,
              timeoutMs: config.clusters.timeoutMs,
              heartbeatMs: config.live.heartbeatMs,
              stopping,
            }
          : undefined,
      }),
      ...createGrpcWebRoutes(grpcOptions),
    ],
    forward: forwardRoute,
    emptyNamesNothing: helmWrapper?.helmWrapperPaths,
    registry,
    budget,
    clientCertificateRequired: config.tls.clientAuth === 'required',
  });
  const probes = createPipeline({
    ...shared,
    routes: pages,
    forward: { template: '', verbs: [], summary: '', answer: () => ({ code: Code.NOT_FOUND, bytes: 0 }) },
    registry: { pick: () => registry.own, labelOf: () => undefined, hasMany: false },
    budget: new Budget(probeBytes),
    clientCertificateRequired: false,
  });
  const grpc = createGrpcFront({
    ...grpcOptions,
    clusters: registry,
    requestTimeoutMs: config.listener.requestTimeoutMs,
    budget,
    admit: request => guard.checkCall(request),
    tap: config.observe.logRpc ? createRpcTap(log) : undefined,
    events: {
      started: () => metrics.requestStarted('grpc'),
      finished: call => finished({ ...call, front: 'grpc', verb: '', status: 200 }),
    },
  });
  return {
    main: { http, grpc, ...(registry.hasMany && { upgrade: createUpgradeFront(registry, guard) }) },
    probes: { http: probes, grpc: stream => stream.close() },
  };
}

/** The pages for probes and for Prometheus. */
export function createPages(health: Health, metrics: Metrics): Route[] {
  const page = (
    template: string,
    summary: string,
    report: () => HealthReport | Promise<HealthReport>,
  ): Route => ({
    template,
    verbs: ['GET'],
    summary,
    isOpen: true,
    answer: async exchange => {
      const { ok, reason } = await report();
      const body = Buffer.from(`${withoutLocalPaths(reason)}\n`);
      const content = { status: ok ? 200 : 503, type: 'text/plain; charset=utf-8', body };
      const answered = await sendContent(exchange, content);
      return ok ? answered : { ...answered, error: reason };
    },
  });
  return [
    page('/healthz', 'Whether the gateway runs.', () => health.live()),
    page('/readyz', 'Whether Tiller can be reached; with 503, why not.', () => health.ready()),
    {
      template: '/metrics',
      verbs: ['GET'],
      summary: 'Metrics for Prometheus.',
      answer: async exchange => {
        const { type, body } = await metrics.render();
        return sendContent(exchange, { status: 200, type, body: Buffer.from(body) });
      },
    },
  ];
}
