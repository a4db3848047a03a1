import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Registry, SourceProblem } from '../../clusters/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import type { ReleaseService } from '../../releases/index.ts';
import type { HttpRequest, Mounted, RestApi } from '../index.ts';
import { answerAll } from './answer-all.ts';
import { answerCluster } from './answer-cluster.ts';
import { listClusters } from './list-clusters.ts';
import { type Selected, selectCluster } from './select.ts';
import { answerUpgrade } from './upgrade.ts';

export interface ClusterRouteOptions {
  readonly registry: Registry;
  readonly service: ReleaseService;
  /** Time limit per cluster for requests to many. */
  readonly timeoutMs: number;
  /** The mistake in the newest configuration of the clusters. */
  readonly problem: () => { readonly problem?: SourceProblem };
}

const readVerbs = ['GET', 'HEAD', 'OPTIONS'] as const;

/**
 * Answers all that concerns clusters, the own one included.
 * @returns undefined for a request that names no cluster and is none of the release service
 */
export function mountClusters(
  options: ClusterRouteOptions,
  request: HttpRequest,
  api: RestApi,
): Mounted | undefined {
  const { registry, service, timeoutMs } = options;
  const { defaultCluster } = registry;
  let selected: Selected;
  try {
    selected = selectCluster(request.url ?? '/', request.headers, registry.hasMany);
  } catch (error) {
    return { route: '', answer: () => Promise.reject(error) };
  }
  if (selected.kind === 'list') {
    const about = () => ({ ...(defaultCluster && { default: defaultCluster }), ...options.problem() });
    return {
      route: '/clusters',
      verbs: readVerbs,
      answer: exchange => listClusters(exchange, registry, about(), timeoutMs),
    };
  }
  const { path } = selected;
  const match = api.find(path);
  if (selected.kind === 'all') {
    return {
      route: match ? `/clusters/-${path}` : '',
      verbs: readVerbs,
      answer: exchange => answerAll(exchange, path, { registry, service, api, timeoutMs }),
    };
  }
  const { selection, query } = selected;
  const isDefault = selection.name === undefined && !selection.adhoc;
  if (isDefault && !match && !(defaultCluster && path.startsWith('/tiller/'))) return undefined;
  const [first] = match?.routes.values() ?? [];
  const template = first?.binding.path ?? '/';
  return {
    route: isDefault && !defaultCluster ? template : `/clusters/{cluster}${template}`,
    answer(exchange) {
      const cluster = registry.pick(selection);
      const label = registry.labelOf(cluster);
      return answerCluster(exchange, cluster, { path, query, label }, api);
    },
  };
}

/** Passes an upgrade on to the cluster that it names. */
export function upgradeToCluster(
  registry: Registry,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  void answerUpgrade(request, socket, head, () => {
    const selected = selectCluster(request.url ?? '/', request.headers, registry.hasMany);
    const isNamed = selected.kind === 'one' && (selected.selection.name ?? selected.selection.adhoc);
    if (!isNamed) throw invalidArgument('nothing becomes a WebSocket here, only below /clusters/NAME');
    return { ...selected, cluster: registry.pick(selected.selection) };
  });
}
