import { apiError } from '../access/api-error.ts';
import { type ClusterAccess, withFreshCredentials } from '../access/cluster-access.ts';
import { openTunnel, type TunnelRequest } from './open-tunnel.ts';
import type { TunnelStream } from './tunnel-stream.ts';

/** What the credentials need for the tunnel; older API servers ask for `get`, newer ones for `create`. */
const rightsHint = 'the rules needed are get and create on pods/portforward';

/**
 * Opens a tunnel to a Pod, with fresh credentials where the kept ones are refused.
 * @throws GatewayError UNAVAILABLE that says which step failed
 */
export async function openPodTunnel(access: ClusterAccess, request: TunnelRequest): Promise<TunnelStream> {
  const reply = await withFreshCredentials(
    access,
    request.signal,
    settings => openTunnel(settings, request),
    reply => 'status' in reply && reply.status === 401,
  );
  if (!('status' in reply)) return reply;
  const step = `opening the tunnel to ${request.target}`;
  throw apiError(reply.status === 403 ? `${step} (${rightsHint})` : step, reply);
}
