import type { AddressInfo } from 'node:net';
import { type ChartOptions, Charts } from '../charts/index.ts';
import type { Registry } from '../clusters/index.ts';
import type { Config } from '../config/index.ts';
import { Guard } from '../http/index.ts';
import { createClusterNames } from '../kubernetes/index.ts';
import { createListener, type Listener } from '../listener/index.ts';
import { createHealth, createMetrics, type Health, type Logger } from '../observe/index.ts';
import { AtomicWrites, createReleaseService, LiveReleases, UnfinishedWrites } from '../releases/index.ts';
import { createFronts } from './fronts.ts';
import { readHelmWrapperConfig, withHelmWrapper } from './helm-wrapper-config.ts';
import { type OpenClusters, openClusters } from './open-clusters.ts';
import type { OpenSandbox } from './open-sandbox.ts';
import {
  boundByFiles,
  chartOptionsOf,
  corsOptionsOf,
  listenerOptionsOf,
  probeListenerOptionsOf,
  releaseOptionsOf,
  requireChartFiles,
  requireFolder,
} from './options.ts';
import { withRpcLog } from './rpc-log.ts';

export interface Gateway {
  /** Where it listens; ports that the system chose are filled in. */
  readonly addresses: readonly AddressInfo[];
  /** Where it answers probes alone, with `--probe-addr`. */
  readonly probeAddress: AddressInfo | undefined;
  /** Where Tiller is, in words. */
  readonly tiller: string;
  /** Stops accepting, finishes requests in progress within the drain timeout, and closes everything. */
  stop(): Promise<void>;
}

/** A readiness probe of Kubernetes waits 1 s by default. */
const readyTimeoutMs = 900;
const readyMaxAgeMs = 2_000;
/** Watchers of grpc.health.v1 learn of a change within this time, even if nobody asks /readyz. */
const healthWatchMs = 5_000;
/** How soon a new name in the API server's certificate counts. */
const namesRefreshMs = 60_000;

/**
 * Wires the rooms together and starts to listen. Nothing stays open when it fails.
 * @throws GatewayError with the setting that failed: an address, a certificate, a kubeconfig
 */
export async function startGateway(config: Config, version: string, log: Logger): Promise<Gateway> {
  const metrics = createMetrics(version);
  requireChartFiles(config);
  const charts = new Charts(withHelmWrapperFile(config, log));
  let sandbox: OpenSandbox | undefined;
  let clusters: OpenClusters | undefined;
  const close = async () => {
    clusters?.close();
    await Promise.allSettled([charts.close(), sandbox?.close()]);
  };
  const stopping = new AbortController();
  const unfinished = new UnfinishedWrites({
    maxBytes: config.limits.inFlightBytes,
    log: (message, fields) => log.warn(message, fields),
  });
  let listener: Listener;
  let probes: Listener | undefined;
  let health: Health;
  try {
    if (config.tiller.connector === 'sandbox') {
      // the one place where the product knows of the sandbox, and only when it is asked for
      const { openSandbox } = await import('./open-sandbox.ts');
      sandbox = await openSandbox(config, problem => log.warn(problem));
    }
    clusters = await openClusters(config, { sandbox, metrics, log });
    const { registry } = clusters;
    health = createClusterHealth(registry);
    const live = new LiveReleases({ ...config.live, stopping: stopping.signal });
    metrics.watch({ records: () => registry.records(), streams: () => live.counts() });
    const plain = createReleaseService(
      charts,
      live,
      new AtomicWrites(unfinished),
      releaseOptionsOf(config, version),
    );
    const service = config.observe.logRpc ? withRpcLog(plain, log) : plain;
    const fronts = await createFronts({
      config,
      charts,
      version,
      service,
      clusters,
      health,
      metrics,
      log,
      guard: await createGuard(config, stopping.signal),
      stopping: stopping.signal,
    });
    const { refused } = metrics;
    const options = listenerOptionsOf(config, log);
    const maxConnections = boundByFiles(options.maxConnections, log);
    listener = await createListener({ ...options, maxConnections, refused }, fronts.main);
    const probeOptions = probeListenerOptionsOf(config, log);
    probes = probeOptions && (await createListener({ ...probeOptions, refused }, fronts.probes));
    await probes?.listen();
    await listener.listen();
  } catch (error) {
    await probes?.close();
    await close();
    throw error;
  }
  metrics.watch({ connections: () => listener.counts() });
  const [first] = listener.addresses();
  if (first) sandbox?.setGateway({ host: reachableAddress(first.address), port: first.port });
  if (config.dialects.helmWrapperConfig !== undefined) void refreshAtStart(charts, stopping.signal, log);
  void health.ready(); // opens the connection to Tiller before the first request asks for it
  const healthWatch = setInterval(() => void health.ready(), healthWatchMs).unref();
  return {
    addresses: listener.addresses(),
    probeAddress: probes?.addresses()[0],
    tiller: clusters.description,
    async stop() {
      clearInterval(healthWatch);
      health.stop();
      stopping.abort();
      const { drainTimeoutMs } = config.listener;
      const drainedAt = performance.now() + drainTimeoutMs;
      const cut = await listener.drain(drainTimeoutMs);
      if (cut > 0)
        log.warn(`${cut} connections were cut off: their requests took longer than the drain timeout`);
      for (const what of await unfinished.drain(Math.max(0, drainedAt - performance.now())))
        log.warn('an atomic change was still running: look at the release', { what });
      await probes?.close();
      await close();
    },
  };
}

/** The chart options, with those of helm-wrapper's configuration file. */
function withHelmWrapperFile(config: Config, log: Logger): ChartOptions {
  const options = chartOptionsOf(config, log);
  const { helmWrapperConfig: file } = config.dialects;
  if (file === undefined) return options;
  const all = withHelmWrapper(options, readHelmWrapperConfig(file), message => log.warn(message));
  requireFolder('uploadPath', all.uploadDir);
  return all;
}

/** helm-wrapper fetches the indexes at its start; one that cannot be had is asked for again when it is needed. */
async function refreshAtStart(charts: Charts, signal: AbortSignal, log: Logger): Promise<void> {
  const repositories = await charts.repositories.refreshAll(signal).catch(() => []);
  for (const { name, error } of repositories)
    if (error !== '') log.warn(`the chart repository ${name} cannot be read: ${error}`);
}

/** In a pod the names of its Service and of the API server count as well; their certificate may change. */
async function createGuard(config: Config, stopping: AbortSignal): Promise<Guard> {
  const options = { allowedHosts: config.rest.allowedHosts, cors: corsOptionsOf(config) };
  if (!process.env.KUBERNETES_SERVICE_HOST) return new Guard(options);
  const names = createClusterNames({ environment: process.env });
  const timer = setInterval(() => void names.refresh(), namesRefreshMs).unref();
  stopping.addEventListener('abort', () => clearInterval(timer));
  await names.refresh();
  return new Guard({ ...options, isClusterName: names.isClusterName });
}

/** A hub with a default cluster is ready when it can answer: `/clusters` says how its clusters are. */
function createClusterHealth({ own, defaultCluster }: Registry): Health {
  return createHealth({
    check: async signal => {
      if (defaultCluster !== undefined) return 'the hub';
      const version = await own.connect(signal);
      return own.reads === undefined ? `Tiller ${version}` : `Tiller ${version}; reads from ${own.reads}`;
    },
    lastFailure: () => own.failure?.message,
    timeoutMs: readyTimeoutMs,
    maxAgeMs: readyMaxAgeMs,
  });
}

/** Where this machine finds what listens on an address. */
function reachableAddress(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
}
