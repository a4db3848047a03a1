/** A gateway in this process, in front of a stub Tiller: listener aside, everything that answers. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Records } from '../../src/backends/index.ts';
import { TillerClient, type TillerClientOptions } from '../../src/backends/index.ts';
import type { ChartOptions } from '../../src/charts/index.ts';
import { Registry } from '../../src/clusters/index.ts';
import { createDirectConnector } from '../../src/clusters/upstreams/connectors.ts';
import type { TillerPlace } from '../../src/clusters/upstreams/upstream.ts';
import { createPipeline, Guard, type PipelineOptions } from '../../src/http/index.ts';
import { Budget } from '../../src/protocol/index.ts';
import { createReleaseService, type LiveOptions, LiveReleases } from '../../src/releases/index.ts';
import { createRestRoutes, forwardRoute, type RestOptions } from '../../src/rest/index.ts';
import { createTestCharts } from './test-charts.ts';

export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly tiller: TillerClient;
  readonly live: LiveReleases;
  /** Cuts every connection of clients. */
  closeConnections(): void;
}

export function createTestTiller(endpoint: string, options: Partial<TillerClientOptions> = {}): TillerClient {
  return new TillerClient({
    connector: createDirectConnector(endpoint),
    tls: undefined,
    keepaliveMs: 30_000,
    keepaliveTimeoutMs: 10_000,
    maxMessageBytes: 24 * 1024 * 1024,
    connectTimeoutMs: 5_000,
    waitMs: 2_000,
    timeoutMs: 60_000,
    connections: 1,
    rawErrors: false,
    ...options,
  });
}

/** A registry whose own cluster is this Tiller, connected to or not, and that has no other. */
export function createTestRegistry(tiller: TillerClient, records?: Records): Registry {
  return new Registry({
    own: { name: 'own', upstream: 'direct' },
    ...(records && { records: () => records }),
    open: async () => ({
      kind: 'direct',
      description: 'the Tiller of the test',
      backend: { kind: 'tiller', tiller },
      ...(records && { kubernetes: {} as TillerPlace }),
      connect: async signal => void (await tiller.check(signal)),
      version: async signal => (await tiller.check(signal)).version,
      close: () => tiller.close(),
      destroy: () => tiller.destroy(),
    }),
    connectTimeoutMs: 5_000,
    log: () => {},
  });
}

export interface TestGatewayOptions {
  readonly charts?: Partial<ChartOptions>;
  readonly rest?: Partial<RestOptions>;
  readonly http?: Partial<PipelineOptions>;
  readonly tiller?: Partial<TillerClientOptions>;
  readonly records?: Records;
  readonly live?: Partial<LiveOptions>;
}

/** The HTTP/JSON front on a plain HTTP/1.1 server. */
export async function startTestGateway(
  endpoint: string,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const tiller = createTestTiller(endpoint, options.tiller);
  const charts = createTestCharts(options.charts);
  const live = new LiveReleases({
    maxStreams: 100,
    heartbeatMs: 3_600_000,
    backlogBytes: 16 * 1024 * 1024,
    ...options.live,
  });
  const service = createReleaseService(charts, live);
  const cors = { enabled: false, originHosts: [], allowSubdomains: false };
  const front = createPipeline({
    routes: createRestRoutes({
      service,
      version: '0.0.0',
      maxBodyBytes: 32 * 1024 * 1024,
      disableGetRollback: false,
      pages: [],
      ...options.rest,
    }),
    forward: forwardRoute,
    registry: createTestRegistry(tiller, options.records),
    cors,
    budget: new Budget(96 * 1024 * 1024),
    guard: new Guard({ allowedHosts: [], cors: options.http?.cors ?? cors }),
    clientCertificateRequired: false,
    events: {},
    ...options.http,
  });
  const server = createServer(front).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tiller,
    live,
    closeConnections: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      tiller.destroy();
      await charts.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
