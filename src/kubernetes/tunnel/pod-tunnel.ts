import { apiError } from '../access/api-error.ts';
import { type ClusterAccess, withFreshCredentials } from '../access/cluster-access.ts';
import type { TillerStream } from '../connector.ts';
import { hostPort } from '../endpoint.ts';
import { openTunnel, type TunnelRequest } from './open-tunnel.ts';

/** What the credentials need for the tunnel; older API servers ask for `get`, newer ones for `create`. */
const rightsHint = 'the rules needed are get and create on pods/portforward';

/**
 * Opens a tunnel to a Pod, with fresh credentials where the kept ones are refused.
 * @throws GatewayError UNAVAILABLE that says which step failed
 */
export async function openPodTunnel(
  access: ClusterAccess,
  request: Omit<TunnelRequest, 'target'>,
): Promise<TillerStream> {
  const { target, reply } = await withFreshCredentials(
    access,
    request.signal,
    async settings => {
      const target = `pod ${request.namespace}/${request.pod} through ${settings.server}`;
      return { target, reply: await openTunnel(settings, { ...request, target }) };
    },
    ({ reply }) => 'status' in reply && reply.status === 401,
  );
  if ('status' in reply) {
    const step = `opening the tunnel to ${target}`;
    throw apiError(reply.status === 403 ? `${step} (${rightsHint})` : step, reply);
  }
  // what Helm's own client connects to through its port-forward, and so what certificates are made for
  return { stream: reply, target, authority: hostPort('127.0.0.1', request.port) };
}
