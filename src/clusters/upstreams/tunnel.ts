import {
  type Connector,
  choosePod,
  createKubeconfigAccess,
  type KubeconfigAccessOptions,
  tillerLabels as labels,
  listPods,
  openPodTunnel,
  tillerIn,
  tillerPort,
} from '../../kubernetes/index.ts';
import { createTillerUpstream, tlsOf } from './tiller.ts';
import { kubeconfigOf, type OpenUpstream } from './upstream.ts';

/** A port-forward to Tiller's Pod; that of the sandbox as well. */
export const openTunnel: OpenUpstream = (entry, options, events) => {
  const { upstream, tillerNamespace } = entry;
  const connector = createKubeconfigConnector({
    ...kubeconfigOf(entry, options.environment),
    ...(tillerNamespace !== undefined && { tillerNamespace }),
  });
  const kind = upstream === 'sandbox' ? 'sandbox' : 'tunnel';
  const kubernetes = {
    access: createKubeconfigAccess(kubeconfigOf(entry, options.environment)),
    namespaces: async () => [tillerNamespace],
  };
  return createTillerUpstream(kind, entry, { connector, tls: tlsOf(entry), kubernetes }, options, events);
};

export interface KubeconfigConnectorOptions extends KubeconfigAccessOptions {
  /** Where to look for Tiller. Default: every namespace. */
  readonly tillerNamespace?: string;
  /** The Pod's port. Default 44134. */
  readonly port?: number;
  /** Bound on looking up the Pod, and again on opening the tunnel. Default 10 s. */
  readonly stepTimeoutMs?: number;
  /** How often a tunnel is pinged; a dead one is noticed after two to three of these. Default 2 s. */
  readonly pingIntervalMs?: number;
}

/**
 * From a workstation: finds Tiller's Pod through the API server of a kubeconfig context and reaches its port
 * through a port-forward over a WebSocket. Keeps no connection, watch or timer between calls of `connect`.
 */
export function createKubeconfigConnector(options: KubeconfigConnectorOptions = {}): Connector {
  const {
    tillerNamespace: namespace,
    port = tillerPort,
    stepTimeoutMs = 10_000,
    pingIntervalMs = 2000,
  } = options;
  const where = tillerIn(namespace);
  const access = createKubeconfigAccess(options);
  const context = options.context === undefined ? 'the current context' : `context ${options.context}`;
  return {
    description: `the pod ${where}, by ${context} of the kubeconfig`,
    async connect(signal) {
      const stepSignal = () => AbortSignal.any([signal, AbortSignal.timeout(stepTimeoutMs)]);
      const pod = choosePod(await listPods(access, { namespace, labels, signal: stepSignal() }), where);
      return openPodTunnel(access, {
        namespace: pod.metadata.namespace,
        pod: pod.metadata.name,
        port,
        signal: stepSignal(),
        pingIntervalMs,
      });
    },
  };
}
