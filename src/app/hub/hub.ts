import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GatewayProxy } from '../../backends/gateway/gateway-proxy.ts';
import { AdhocPool, adhocLabel } from '../../clusters/adhoc.ts';
import type { Cluster } from '../../clusters/cluster.ts';
import { openWay } from '../../clusters/open-way.ts';
import { Registry } from '../../clusters/registry.ts';
import { createClusterSource } from '../../clusters/source/cluster-source.ts';
import { keepUpToDate } from '../../clusters/source/keep-up-to-date.ts';
import type { Elsewhere } from '../../grpc/index.ts';
import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';
import { answerAll } from '../../rest/clusters/answer-all.ts';
import { answerCluster } from '../../rest/clusters/answer-cluster.ts';
import { listClusters } from '../../rest/clusters/list-clusters.ts';
import { adhocNames, mayName, type Selected, selectCluster } from '../../rest/clusters/select.ts';
import { answerUpgrade } from '../../rest/clusters/upgrade.ts';
import type { HttpRequest, Mounted, RestApi } from '../../rest/index.ts';
import type { HubOptions } from './options.ts';

/** Many clusters behind the routes of one gateway. */
export interface Hub {
  /** For `RestOptions.mount`. */
  mount(request: HttpRequest, api: RestApi): Mounted | undefined;
  /** For `GrpcOptions.elsewhere`. */
  elsewhere(headers: IncomingHttpHeaders): Elsewhere | undefined;
  /** For `Fronts.upgrade`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Number of clusters by state. */
  states(): Readonly<Record<string, number>>;
  /** Names of the clusters, as configured at the moment. */
  names(): string[];
  /** Fails calls under way. */
  close(): void;
}

const readVerbs = ['GET', 'HEAD', 'OPTIONS'] as const;

/**
 * Reads the configuration of the clusters and stands ready for them. Nothing is connected to before it is asked for.
 * @throws GatewayError that says what is wrong with the configuration and where
 */
export async function createHub(options: HubOptions): Promise<Hub> {
  const { defaultCluster, timeoutMs, log } = options;
  let proxy: Promise<GatewayProxy> | undefined;
  const loadProxy = () => {
    proxy ??= import('../../backends/gateway/gateway-proxy.ts').then(
      ({ GatewayProxy }) => new GatewayProxy(),
    );
    return proxy;
  };
  const wayOptions = {
    tiller: options.tiller,
    serviceOf: options.serviceOf,
    environment: options.source.environment,
    proxy: loadProxy,
    proxyOptions: {
      maxSockets: options.maxCalls,
      maxMessageBytes: options.tiller.maxMessageBytes,
      timeoutMs: options.tiller.timeoutMs,
      connectTimeoutMs: options.tiller.connectTimeoutMs,
    },
  };
  const registry = new Registry({
    ...options,
    connectTimeoutMs: options.tiller.connectTimeoutMs,
    open: (entry, events, signal) => openWay(entry, wayOptions, events, signal),
  });
  const adhoc = options.adhoc && new AdhocPool(options.adhoc, registry);
  const source = createClusterSource(options.source);
  const upToDate = await keepUpToDate(source, registry, log, options.watchIntervalMs);
  if (defaultCluster !== undefined) registry.get(defaultCluster);

  const find = (selected: Extract<Selected, { kind: 'named' | 'adhoc' }>): Cluster => {
    if (selected.kind === 'named') return registry.get(selected.name);
    if (adhoc) return adhoc.get(selected.adhoc);
    throw new GatewayError(
      Code.PERMISSION_DENIED,
      'X-KubeApiServer: this gateway has no --allow-adhoc-clusters',
    );
  };
  const select = (url: string, headers: IncomingHttpHeaders): Selected | undefined => {
    const selected = mayName(url, headers) ? selectCluster(url, headers) : undefined;
    if (selected || defaultCluster === undefined || !url.startsWith('/tiller/')) return selected;
    const [path = '', query = ''] = url.split(/\?(.*)/s);
    return { kind: 'named', name: defaultCluster, path, query };
  };

  return {
    mount(request, api) {
      let selected: Selected | undefined;
      try {
        selected = select(request.url ?? '/', request.headers);
      } catch (error) {
        return { route: '', answer: () => Promise.reject(error) };
      }
      if (!selected) return undefined;
      const { kind } = selected;
      if (kind === 'list') {
        const about = () => ({ ...(defaultCluster && { default: defaultCluster }), ...upToDate.problem() });
        const answer: Mounted['answer'] = exchange => listClusters(exchange, registry, about(), timeoutMs);
        return { route: '/clusters', verbs: readVerbs, answer };
      }
      if (kind === 'all') {
        const { path } = selected;
        const route = api.find(path) ? `/clusters/-${path}` : '';
        return {
          route,
          verbs: readVerbs,
          answer: exchange => answerAll(exchange, path, { registry, api, timeoutMs }),
        };
      }
      const { path, query } = selected;
      const [first] = api.find(path)?.routes.values() ?? [];
      return {
        route: `/clusters/{cluster}${first?.binding.path ?? '/'}`,
        answer(exchange) {
          const cluster = find(selected);
          return answerCluster(exchange, cluster, { path, query, label: cluster.entry.name }, api);
        },
      };
    },
    elsewhere(headers) {
      const names = adhocNames(headers);
      const given = headers['x-cluster'];
      const name = given === undefined ? (names ? undefined : defaultCluster) : String(given);
      if (name === undefined && !names) return undefined;
      return {
        cluster: names ? adhocLabel : known(registry, name),
        async use(signal, work) {
          if (given !== undefined && names)
            throw invalidArgument('name one cluster: by x-cluster, or by x-kubeapiserver');
          const at = { path: '', query: '' };
          const cluster = find(
            names ? { kind: 'adhoc', adhoc: names, ...at } : { kind: 'named', name: name ?? '', ...at },
          );
          return cluster.use(signal, work);
        },
      };
    },
    upgrade(request, socket, head) {
      void answerUpgrade(request, socket, head, () => {
        const selected = select(request.url ?? '/', request.headers);
        if (selected?.kind !== 'named' && selected?.kind !== 'adhoc') {
          throw invalidArgument('nothing becomes a WebSocket here, only below /clusters/NAME');
        }
        return { cluster: find(selected), path: selected.path, query: selected.query };
      });
    },
    states() {
      const counts: Record<string, number> = { idle: 0, connecting: 0, ready: 0, failing: 0 };
      for (const { state } of registry.clusters) counts[state] = (counts[state] ?? 0) + 1;
      return counts;
    },
    names: () => registry.clusters.map(({ entry }) => entry.name),
    close() {
      upToDate.stop();
      registry.destroy();
    },
  };
}

/** Only names that are configured may become labels, whatever a caller sends. */
function known(registry: Registry, name: string | undefined): string {
  return registry.clusters.some(({ entry }) => entry.name === name) && name ? name : 'unknown';
}
