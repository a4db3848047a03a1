import type { AddressInfo } from 'node:net';
import { createCharts } from '../charts/index.ts';
import type { Config } from '../config/index.ts';
import { createGrpcFront } from '../grpc/index.ts';
import { createListener, type Listener } from '../listener/index.ts';
import {
  accessLine,
  createHealth,
  createMetrics,
  type LoggedRequest,
  type Logger,
} from '../observe/index.ts';
import { createReleaseService } from '../releases/index.ts';
import { createRestFront } from '../rest/index.ts';
import { TillerClient } from '../tiller/index.ts';
import { chartOptionsOf, listenerOptionsOf, tillerOptionsOf } from './options.ts';
import { healthPages } from './pages.ts';
import { withRpcLog } from './rpc-log.ts';
import { createTillerReach } from './tiller-reach.ts';
import { openTillerWay } from './tiller-way.ts';

/** The whole program, listening. */
export interface Gateway {
  /** Where it listens; ports that the system chose are filled in. */
  readonly addresses: readonly AddressInfo[];
  /** How Tiller is reached, in words. */
  readonly way: string;
  /** Stops accepting, finishes what is under way within the drain timeout, and closes everything. */
  stop(): Promise<void>;
}

/** A readiness probe of Kubernetes waits 1 s by default. */
const readyTimeoutMs = 900;
const readyMaxAgeMs = 2_000;
/** Those who watch grpc.health.v1 learn of a change within this time, also where nobody asks /readyz. */
const healthWatchMs = 5_000;

/**
 * Wires the rooms together and starts to listen. Nothing stays open when it fails.
 * @throws GatewayError saying what of the configuration cannot be had: an address, a certificate, a kubeconfig
 */
export async function startGateway(config: Config, version: string, log: Logger): Promise<Gateway> {
  const metrics = createMetrics(version);
  const way = await openTillerWay(config, problem => log.warn(problem));
  const charts = createCharts(chartOptionsOf(config, log));
  const reach = createTillerReach(log);
  const tiller = new TillerClient(tillerOptionsOf(config, way, reach, metrics));
  const health = createHealth({
    check: async signal => `Tiller ${await tiller.check(signal)}`,
    hindrance: reach.hindrance,
    timeoutMs: readyTimeoutMs,
    maxAgeMs: readyMaxAgeMs,
  });
  const finished = (request: LoggedRequest) => {
    metrics.requestFinished(request);
    const line = accessLine(request);
    if (config.observe.accessLog || line.level !== 'info') log[line.level](line.message, line.fields);
  };
  const plain = createReleaseService(tiller, charts);
  const service = config.observe.logRpc ? withRpcLog(plain, log) : plain;
  const rest = createRestFront({
    service,
    version,
    maxBodyBytes: config.limits.maxBodyBytes,
    cors: {
      enabled: config.rest.enableCors,
      originHosts: config.rest.corsOriginHosts,
      allowSubdomains: config.rest.corsOriginAllowSubdomain,
    },
    disableGetRollback: config.rest.disableGetRollback,
    pages: healthPages(health, metrics),
    events: {
      started: () => metrics.requestStarted('http'),
      finished: request => finished({ ...request, front: 'http' }),
    },
  });
  const grpc = createGrpcFront({
    service,
    tiller,
    health: { serving: () => health.last().ok, onChange: listener => health.onChange(listener) },
    maxMessageBytes: config.limits.maxMessageBytes,
    events: {
      started: () => metrics.requestStarted('grpc'),
      finished: call =>
        finished({ ...call, front: 'grpc', verb: '', path: call.route, status: 200, bytes: 0 }),
    },
  });
  const close = async () => {
    tiller.destroy();
    await Promise.allSettled([charts.close(), way.connector.close(), way.sandbox?.close()]);
  };
  let listener: Listener;
  try {
    listener = await createListener(listenerOptionsOf(config, log), { http: rest, grpc });
    await listener.listen();
  } catch (error) {
    await close();
    throw error;
  }
  metrics.watchConnections(() => listener.counts());
  const [first] = listener.addresses();
  if (first) way.sandbox?.setGateway({ host: '127.0.0.1', port: first.port });
  void health.ready(); // opens the connection to Tiller before the first request asks for it
  const healthWatch = setInterval(() => void health.ready(), healthWatchMs).unref();
  return {
    addresses: listener.addresses(),
    way: way.connector.description,
    async stop() {
      clearInterval(healthWatch);
      health.stop();
      const cut = await listener.drain(config.listener.drainTimeoutMs);
      if (cut > 0)
        log.warn(`${cut} connections were cut off: their requests took longer than the drain timeout`);
      await close();
    },
  };
}
