import { isIP } from 'node:net';
import {
  addressText,
  type Connector,
  choosePod,
  chooseService,
  createKubeconfigAccess,
  createServiceAccountAccess,
  dial,
  hostPort,
  type KubeconfigAccessOptions,
  tillerLabels as labels,
  listPods,
  listServices,
  openPodTunnel,
  type Pod,
  parseEndpoint,
  type Service,
  serviceAccountFolder,
  type TillerStream,
  tillerIn,
  tillerPort,
} from '../../kubernetes/index.ts';
import { stepFailed } from '../../protocol/index.ts';

/** Bound on each look-up, and again on connecting. */
const defaultStepMs = 10_000;

/**
 * Connects to a Tiller whose address is known. TLS, where the endpoint or the `--tiller-*` flags ask for it, is put on
 * top by the client.
 * @param endpoint `host:port`, `http://…`, `https://…`, `tls://…` or `unix:/path`; see `parseEndpoint`
 * @throws GatewayError INVALID_ARGUMENT for an endpoint that cannot be read
 */
export function createDirectConnector(endpoint: string): Connector {
  const { address } = parseEndpoint(endpoint);
  const target = addressText(address);
  const authority = 'path' in address ? 'localhost' : hostPort(address.host, address.port);
  return {
    description: `Tiller at ${target}`,
    address,
    async connect(signal) {
      const stream = await dial({ address, timeoutMs: defaultStepMs, signal });
      return { stream, authority, target };
    },
  };
}

export interface KubeconfigConnectorOptions extends KubeconfigAccessOptions {
  /** Where to look for Tiller. Default: every namespace. */
  readonly tillerNamespace?: string | undefined;
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
    stepTimeoutMs = defaultStepMs,
    pingIntervalMs = 2000,
  } = options;
  const where = tillerIn(namespace);
  const access = createKubeconfigAccess(options);
  const context = options.context === undefined ? 'the current context' : `context ${options.context}`;
  return {
    description: `the pod ${where}, by ${context} of the kubeconfig`,
    async connect(signal) {
      const bounded = withTimeout(signal, stepTimeoutMs);
      const pod = choosePod(await listPods(access, { namespace, labels, signal: bounded }), where);
      return openPodTunnel(access, {
        namespace: pod.metadata.namespace,
        pod: pod.metadata.name,
        port,
        signal: withTimeout(signal, stepTimeoutMs),
        pingIntervalMs,
      });
    },
  };
}

export interface InclusterConnectorOptions {
  /** The only namespace to look in. Default: the own one first, then all. */
  readonly tillerNamespace?: string | undefined;
  /** Bound on each look-up, and again on connecting. Default 10 s. */
  readonly stepTimeoutMs?: number;
  /** Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly folder?: string;
  /** Default: the process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** How a connection is opened; for tests, where the cluster's names mean nothing. */
  readonly open?: typeof dial;
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** What a certificate has to name, where that is not the host. */
  readonly name?: string;
  readonly target: string;
}

/**
 * Inside a cluster: finds Tiller's Service, or where there is none a ready Pod of it, with the Pod's own service
 * account, and connects to its address, so that the cluster's DNS is not needed. Keeps nothing between calls of
 * `connect`.
 */
export function createInclusterConnector(options: InclusterConnectorOptions = {}): Connector {
  const { tillerNamespace, stepTimeoutMs = defaultStepMs, open = dial } = options;
  const access = createServiceAccountAccess(
    options.folder ?? serviceAccountFolder,
    options.environment ?? process.env,
  );

  async function find(signal: AbortSignal): Promise<Place> {
    if (tillerNamespace !== undefined)
      return (await findIn(tillerNamespace, signal)) ?? nowhere(tillerNamespace);
    // a Tiller of the own namespace that is not ready is not silently replaced by that of another
    const own = await access.namespace();
    return (await findIn(own, signal)) ?? (await findIn(undefined, signal)) ?? nowhere(undefined);
  }

  async function findIn(namespace: string | undefined, signal: AbortSignal): Promise<Place | undefined> {
    const bounded = withTimeout(signal, stepTimeoutMs);
    const services = await listServices(access, { namespace, labels, signal: bounded });
    const service = chooseService(services, tillerIn(namespace));
    if (service) return placeOfService(service, signal);
    return placeOfPods(await listTillers(namespace, signal), namespace);
  }

  function listTillers(namespace: string | undefined, signal: AbortSignal): Promise<Pod[]> {
    return listPods(access, { namespace, labels, signal: withTimeout(signal, stepTimeoutMs) });
  }

  async function placeOfService({ metadata: { name, namespace }, spec }: Service, signal: AbortSignal) {
    const ports = spec?.ports ?? [];
    const named = ports.find(port => port.name === 'tiller') ?? ports.find(({ port }) => port === tillerPort);
    const port = (named ?? ports[0])?.port ?? tillerPort;
    const host = `${name}.${namespace}.svc`;
    const place = { port, name: host, target: `service ${namespace}/${name}` };
    if (isIP(spec?.clusterIP ?? '')) return { ...place, host: spec?.clusterIP ?? '' };
    // headless: its name leads to the addresses of its Pods; where none can be seen, only the name is left
    const pods = await listTillers(namespace, signal).catch(() => []);
    return { ...place, host: placeOfPods(pods, namespace)?.host ?? host };
  }

  function nowhere(namespace: string | undefined): never {
    throw stepFailed('finding Tiller', `no service and no pod ${tillerIn(namespace)}`);
  }

  return {
    description: `the service or pod ${tillerIn(tillerNamespace)} of this cluster`,
    async connect(signal): Promise<TillerStream> {
      const { host, port, name = host, target } = await find(signal);
      const stream = await open({ address: { host, port }, name: target, timeoutMs: stepTimeoutMs, signal });
      return { stream, authority: hostPort(name, port), target };
    },
  };
}

function placeOfPods(pods: readonly Pod[], searched: string | undefined): Place | undefined {
  if (pods.length === 0) return undefined;
  const { metadata, status } = choosePod(pods, tillerIn(searched));
  const target = `pod ${metadata.namespace}/${metadata.name}`;
  if (!status?.podIP) throw stepFailed('finding Tiller', `${target} has no address yet`);
  return { host: status.podIP, port: tillerPort, target };
}

function withTimeout(signal: AbortSignal, timeoutMs: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}
