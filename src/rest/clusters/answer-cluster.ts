import type { Cluster } from '../../clusters/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import { verbOf } from '../api.ts';
import { type Answered, ClientSignal, type Exchange, type RestApi } from '../index.ts';
import { validateForwardPath } from './select.ts';

/** A request to one cluster. */
export interface ClusterRequest {
  /** Below the cluster's prefix, still percent-encoded. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  /** For logs and metrics; a bounded number of these exist. */
  readonly label: string | undefined;
}

/**
 * Answers a request for one cluster: by its own gateway where it is reached through that, else by the release service here.
 * @throws GatewayError where the cluster cannot be reached, or has nothing at the path
 */
export async function answerCluster(
  exchange: Exchange,
  cluster: Cluster,
  { path, query, label }: ClusterRequest,
  api: RestApi,
): Promise<Answered> {
  const match = api.find(path);
  // a preflight is about this gateway, not about the cluster
  if (match && exchange.verb === 'OPTIONS') return api.preflight(exchange, match);
  const context = new ClientSignal(exchange.request, exchange.response);
  try {
    const answered = await cluster.use(context.signal, async ({ backend }) => {
      if (backend.kind === 'gateway') {
        const target = validateForwardPath(path) + (query && `?${query}`);
        const { request, response, requestId } = exchange;
        const { signal, deadline } = context;
        const route = match?.routes.get(verbOf(exchange));
        const forwarded = {
          verb: exchange.verb === 'HEAD' ? 'HEAD' : verbOf(exchange),
          target,
          hasBody: route?.binding.body ?? false,
          isRead: route?.method.contract.idempotency === 'NO_SIDE_EFFECTS',
        };
        return backend.gateway.forward(request, response, forwarded, { signal, deadline, requestId });
      }
      if (!match) throw new GatewayError(Code.NOT_FOUND, `nothing is at ${path.slice(0, 200)} of a cluster`);
      return api.answer(exchange, match, backend);
    });
    return { ...answered, ...(label !== undefined && { cluster: label }) };
  } finally {
    context.release();
  }
}
