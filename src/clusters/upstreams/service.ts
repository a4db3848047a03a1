import { isIP } from 'node:net';
import {
  type Connector,
  choosePod,
  chooseService,
  createServiceAccountAccess,
  dial,
  hostPort,
  tillerLabels as labels,
  listPods,
  listServices,
  type Pod,
  type Service,
  serviceAccountFolder,
  type TillerStream,
  tillerIn,
  tillerPort,
} from '../../kubernetes/index.ts';
import { stepFailed } from '../../protocol/index.ts';
import { createTillerUpstream, tlsOf } from './tiller.ts';
import type { OpenUpstream } from './upstream.ts';

/** Tiller of the cluster that this gateway runs in. */
export const openService: OpenUpstream = (entry, options, events) => {
  const { tillerNamespace } = entry;
  const connector = createInclusterConnector(tillerNamespace === undefined ? {} : { tillerNamespace });
  const access = createServiceAccountAccess(serviceAccountFolder, options.environment);
  const kubernetes = {
    access,
    namespaces: async () =>
      tillerNamespace === undefined ? [await access.namespace(), undefined] : [tillerNamespace],
  };
  return createTillerUpstream(
    'service',
    entry,
    { connector, tls: tlsOf(entry), kubernetes },
    options,
    events,
  );
};

export interface InclusterConnectorOptions {
  /** The only namespace to look in. Default: the own one first, then all. */
  readonly tillerNamespace?: string;
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
  const { tillerNamespace, stepTimeoutMs = 10_000, open = dial } = options;
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
    const services = await listServices(access, { namespace, labels, signal: stepSignal(signal) });
    const service = chooseService(services, tillerIn(namespace));
    if (service) return placeOfService(service, signal);
    const pods = await listPods(access, { namespace, labels, signal: stepSignal(signal) });
    return pods.length === 0 ? undefined : placeOfPod(choosePod(pods, tillerIn(namespace)));
  }

  async function placeOfService({ metadata: { name, namespace }, spec }: Service, signal: AbortSignal) {
    const ports = spec?.ports ?? [];
    const named = ports.find(port => port.name === 'tiller') ?? ports.find(({ port }) => port === tillerPort);
    const port = (named ?? ports[0])?.port ?? tillerPort;
    const host = `${name}.${namespace}.svc`;
    const place = { port, name: host, target: `service ${namespace}/${name}` };
    if (isIP(spec?.clusterIP ?? '')) return { ...place, host: spec?.clusterIP ?? '' };
    // headless: its name leads to the addresses of its Pods; where none can be seen, only the name is left
    const pods = await listPods(access, { namespace, labels, signal: stepSignal(signal) }).catch(() => []);
    if (pods.length === 0) return { ...place, host };
    return { ...place, host: placeOfPod(choosePod(pods, tillerIn(namespace))).host };
  }

  function nowhere(namespace: string | undefined): never {
    throw stepFailed('finding Tiller', `no service and no pod ${tillerIn(namespace)}`);
  }

  function stepSignal(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(stepTimeoutMs)]);
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

function placeOfPod({ metadata: { name, namespace }, status }: Pod): Place {
  const target = `pod ${namespace}/${name}`;
  if (!status?.podIP) throw stepFailed('finding Tiller', `${target} has no address yet`);
  return { host: status.podIP, port: tillerPort, target };
}
