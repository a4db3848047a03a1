import { openDirect } from './direct.ts';
import { openGateway, openGatewayIfAny } from './gateway.ts';
import { openService } from './service.ts';
import { openTunnel } from './tunnel.ts';
import type { OpenUpstream, UpstreamKind } from './upstream.ts';

/** A new kind of upstream is one more file here and one more line. */
const kinds: Readonly<Record<UpstreamKind, OpenUpstream>> = {
  direct: openDirect,
  gateway: openGateway,
  sandbox: openTunnel,
  service: openService,
  tunnel: openTunnel,
};

/** Opens the upstream that the entry names; without one, the cluster's gateway where it has one, else a tunnel. */
export const openUpstream: OpenUpstream = async (entry, options, events, signal) => {
  if (entry.upstream) return kinds[entry.upstream](entry, options, events, signal);
  const gateway = await openGatewayIfAny(entry, options, events, signal);
  return gateway ?? openTunnel(entry, options, events, signal);
};

export type { OpenUpstream, TillerPlace, Upstream, UpstreamEvents, UpstreamOptions } from './upstream.ts';
