import type { AddressInfo } from 'node:net';
import { TillerClient } from '../backends/tiller/index.ts';
import { createCharts } from '../charts/index.ts';
import { type Config, servesClusters } from '../config/index.ts';
import { createListener, type Listener } from '../listener/index.ts';
import { createHealth, createMetrics, type Logger } from '../observe/index.ts';
import { createReleaseService } from '../releases/index.ts';
import { createFronts } from './fronts.ts';
import { type OpenHub, openHub } from './open-hub.ts';
import { chartOptionsOf, listenerOptionsOf, requireChartFiles, tillerOptionsOf } from './options.ts';
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
  requireChartFiles(config);
  const way = await openTillerWay(config, problem => log.warn(problem));
  const charts = createCharts(chartOptionsOf(config, log));
  const reach = createTillerReach(log);
  const tiller = new TillerClient(tillerOptionsOf(config, way, reach, metrics));
  const ownTiller = config.clusters.defaultCluster === undefined;
  const health = createHealth({
    // a hub is ready when it can answer; how its clusters are is told by /clusters
    check: async signal => (ownTiller ? `Tiller ${await tiller.check(signal)}` : 'the hub'),
    lastFailure: reach.hindrance,
    timeoutMs: readyTimeoutMs,
    maxAgeMs: readyMaxAgeMs,
  });
  const serviceOf = (of: TillerClient) => {
    const plain = createReleaseService(of, charts);
    return config.observe.logRpc ? withRpcLog(plain, log) : plain;
  };
  const stopping = new AbortController();
  let hub: OpenHub | undefined;
  const close = async () => {
    hub?.close();
    tiller.destroy();
    await Promise.allSettled([charts.close(), way.connector.close(), way.sandbox?.close()]);
  };
  let listener: Listener;
  try {
    if (servesClusters(config.clusters)) hub = await openHub(config, { serviceOf, metrics, log });
    const service = serviceOf(tiller);
    const fronts = createFronts({
      config,
      version,
      service,
      tiller,
      hub,
      health,
      metrics,
      log,
      stopping: stopping.signal,
    });
    listener = await createListener(listenerOptionsOf(config, log), fronts);
    await listener.listen();
  } catch (error) {
    await close();
    throw error;
  }
  metrics.watchConnections(() => listener.counts());
  const [first] = listener.addresses();
  if (first) way.sandbox?.setGateway({ host: reachableAddress(first.address), port: first.port });
  void health.ready(); // opens the connection to Tiller before the first request asks for it
  const healthWatch = setInterval(() => void health.ready(), healthWatchMs).unref();
  return {
    addresses: listener.addresses(),
    way: ownTiller ? way.connector.description : `cluster ${config.clusters.defaultCluster}`,
    async stop() {
      clearInterval(healthWatch);
      health.stop();
      stopping.abort();
      const cut = await listener.drain(config.listener.drainTimeoutMs);
      if (cut > 0)
        log.warn(`${cut} connections were cut off: their requests took longer than the drain timeout`);
      await close();
    },
  };
}

/** Where this machine finds what listens on an address. */
function reachableAddress(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
}
