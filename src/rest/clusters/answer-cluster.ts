import type { Cluster } from '../../clusters/cluster.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import { type Answered, ClientSignal, type Exchange, type RestApi } from '../index.ts';
import { validateForwardPath } from './select.ts';

/** What is asked of one cluster. */
export interface ClusterRequest {
  /** Below the cluster's prefix, still percent-encoded. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  /** For logs and metrics; a bounded number of these exist. */
  readonly label: string;
}

/**
 * Answers a request for one cluster: by its own gateway where that is the way, else by the release service here.
 * @throws GatewayError where the cluster cannot be reached, or has nothing at the path
 */
export async function answerCluster(
  exchange: Exchange,
  cluster: Cluster,
  { path, query, label }: ClusterRequest,
  api: RestApi,
): Promise<Answered> {
  const found = api.find(path);
  // a preflight is about this gateway, not about the cluster
  if (found && exchange.verb === 'OPTIONS') return api.answer(exchange, found);
  const context = new ClientSignal(exchange.request, exchange.response);
  try {
    const answered = await cluster.use(context.signal, async way => {
      if (way.forward) {
        const target = validateForwardPath(path) + (query && `?${query}`);
        return way.forward.request(exchange, target, context);
      }
      if (!found) throw new GatewayError(Code.NOT_FOUND, `nothing is at ${path.slice(0, 200)} of a cluster`);
      return api.answer(exchange, found, way.service);
    });
    return { ...answered, cluster: label };
  } finally {
    context.release();
  }
}
