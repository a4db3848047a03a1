import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { ClusterObjects } from '../objects/cluster-objects.ts';
import { type KubeObject, type Labels, toTime } from '../objects/kube-object.ts';
import { createApiServer } from './api-server.ts';
import { createServerCertificate, type ServerCertificate } from './certificate.ts';
import { ClusterState, podIp, type Target } from './cluster-state.ts';
import { createFaults, type Misbehaviour } from './faults.ts';
import { Watches, type WatchOptions } from './watch.ts';

export interface SandboxKubernetesOptions {
  /** Where the sandbox's Tiller listens; it may still be starting, while the certificate is made. */
  readonly tillerTarget: Target | Promise<Target>;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Shared by many sandboxes of one process, since making one takes a while. Default: a new one. */
  readonly certificate?: ServerCertificate;
  /** Whether the Service `kube-system/swift` is there. Default: yes. */
  readonly gatewayService?: boolean;
  /** What the cluster holds, shared with the sandbox's Tiller. Default: objects of its own. */
  readonly objects?: ClusterObjects;
  readonly watches?: WatchOptions;
  /**
   * Whether the records of its Tiller are among the objects. Default: no, and the Pod says so (`--storage=memory`), so that
   * nobody takes a cluster without records for one without releases.
   */
  readonly keepsRecords?: boolean;
}

export interface SandboxKubernetes {
  readonly url: string;
  readonly caPem: string;
  /** The token that is valid at the moment. */
  readonly token: string;
  kubeconfig(): string;
  /** Writes the kubeconfig with rights for its owner only. */
  writeKubeconfig(file: string): Promise<void>;
  /** Puts the gateway behind the Service `kube-system/swift`. */
  setGateway(target: Target): void;
  /** Adds a Tiller (a Pod and, unless told otherwise, its Service) and gives the Pod's name. */
  addTiller(options: AddTillerOptions): string;
  /** Deletes a Pod and breaks its tunnels. */
  removePod(namespace: string, name: string): void;
  /** The name of the sandbox's own Tiller's Pod, in `kube-system`. */
  readonly tillerPod: string;
  /** Puts a Pod of another name in the place of the sandbox's own Tiller and gives that name. */
  replaceTiller(): string;
  /** Makes the current token invalid and gives the new one. */
  rotateToken(): string;
  /** What the cluster holds. */
  readonly objects: ClusterObjects;
  /** How many watches are open at the moment. */
  readonly openWatches: number;
  readonly misbehave: Misbehaviour;
  /** How many tunnels are open at the moment. */
  readonly openTunnels: number;
  /** Stops listening and breaks every connection, until `start`. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface AddTillerOptions {
  readonly namespace: string;
  readonly target: Target;
  readonly ready?: boolean;
  readonly service?: boolean;
}

const tillerPort = 44134;
const tillerLabels = { app: 'helm', name: 'tiller' };
const gatewayPort = 9855;
const gatewayLabels = { app: 'tiller-gateway' };

/**
 * Starts a small HTTPS API server with one Tiller and the gateway's Service in it: objects of any kind to be read,
 * watched and written, the service proxy, and port-forwards over WebSocket. Nothing runs in its Pods but the sandbox's
 * own programs. Its CA and token are made anew.
 */
export async function createSandboxKubernetes(options: SandboxKubernetesOptions): Promise<SandboxKubernetes> {
  const { host = '127.0.0.1' } = options;
  const [tillerTarget, certificate] = await Promise.all([
    options.tillerTarget,
    options.certificate ?? createServerCertificate(),
  ]);
  const objects = options.objects ?? new ClusterObjects();
  const watches = new Watches(objects.store, options.watches);
  const faults = createFaults(objects.store, watches);
  const state = new ClusterState(objects, uid => faults.cutTunnelsTo(uid));
  if (options.gatewayService !== false) state.addService(gatewayService());
  let token = createToken();
  const server = createApiServer({ state, certificate, faults, watches, token: () => token });
  const port = await server.listen(host, options.port ?? 0);
  const url = `https://${host}:${port}`;

  function addTiller({ namespace, target, ready = true, service = true }: AddTillerOptions): string {
    const pod = tillerPod(namespace, ready, options.keepsRecords ?? false);
    state.addPod(pod, [{ name: 'tiller', port: tillerPort, target }]);
    if (service) state.addService(tillerService(namespace));
    return pod.metadata.name;
  }

  let tiller = addTiller({ namespace: 'kube-system', target: tillerTarget });
  const kubeconfig = () => kubeconfigText({ url, caPem: certificate.caPem, token });
  return {
    url,
    caPem: certificate.caPem,
    get token() {
      return token;
    },
    get tillerPod() {
      return tiller;
    },
    get openTunnels() {
      return faults.openTunnels;
    },
    kubeconfig,
    writeKubeconfig: file => writeKubeconfigFile(file, { url, caPem: certificate.caPem, token }),
    setGateway(target) {
      for (const { metadata } of state.podsWith('kube-system', gatewayLabels)) {
        state.removePod('kube-system', metadata.name);
      }
      state.addPod(gatewayPod(), [{ name: 'http', port: gatewayPort, target }]);
    },
    addTiller,
    removePod: (namespace, name) => state.removePod(namespace, name),
    replaceTiller() {
      const old = tiller;
      tiller = addTiller({ namespace: 'kube-system', target: tillerTarget });
      state.removePod('kube-system', old);
      return tiller;
    },
    rotateToken() {
      token = createToken();
      return token;
    },
    objects,
    get openWatches() {
      return watches.count;
    },
    misbehave: faults,
    stop: () => server.stop(),
    async start() {
      await server.listen(host, port);
    },
    close: () => server.stop(),
  };
}

function createToken(): string {
  return randomBytes(32).toString('base64url');
}

function tillerPod(namespace: string, ready: boolean, keepsRecords: boolean): KubeObject {
  const image = 'gcr.io/kubernetes-helm/tiller:v2.17.0';
  const ports = [{ name: 'tiller', containerPort: tillerPort }];
  return runningPod(namespace, 'tiller-deploy', {
    labels: tillerLabels,
    container: 'tiller',
    command: ['/tiller', ...(keepsRecords ? [] : ['--storage=memory'])],
    image,
    ports,
    ready,
  });
}

function tillerService(namespace: string): KubeObject {
  return service(namespace, 'tiller-deploy', tillerLabels, tillerLabels, {
    name: 'tiller',
    port: tillerPort,
  });
}

function gatewayPod(): KubeObject {
  return runningPod('kube-system', 'tiller-gateway', {
    labels: gatewayLabels,
    container: 'tiller-gateway',
    image: 'tiller-gateway',
    ports: [{ name: 'http', containerPort: gatewayPort }],
    ready: true,
  });
}

/** As in `manifests/base`: the labels are what `kubectl cluster-info` looks for. */
function gatewayService(): KubeObject {
  const labels = { ...gatewayLabels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'Swift' };
  return service('kube-system', 'swift', labels, gatewayLabels, { name: 'http', port: gatewayPort });
}

interface PodContent {
  readonly labels: Labels;
  readonly container: string;
  readonly command?: readonly string[];
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly ready: boolean;
}

function runningPod(namespace: string, prefix: string, content: PodContent): KubeObject {
  const { labels, container, command, image, ports, ready } = content;
  const startedAt = toTime(new Date());
  const condition = ready ? 'True' : 'False';
  const conditions = {
    PodScheduled: 'True',
    Initialized: 'True',
    ContainersReady: condition,
    Ready: condition,
  };
  return {
    metadata: { name: `${prefix}-${randomBytes(5).toString('hex')}`, namespace, labels },
    spec: {
      containers: [{ name: container, ...(command && { command: [...command] }), image, ports }],
      nodeName: 'sandbox',
    },
    status: {
      phase: 'Running',
      podIP: podIp,
      podIPs: [{ ip: podIp }],
      hostIP: podIp,
      startTime: startedAt,
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })),
      containerStatuses: [
        { name: container, image, imageID: '', ready, restartCount: 0, state: { running: { startedAt } } },
      ],
    },
  };
}

function service(
  namespace: string,
  name: string,
  labels: Labels,
  selector: Labels,
  port: { readonly name: string; readonly port: number },
): KubeObject {
  const ports = [{ ...port, protocol: 'TCP', targetPort: port.name }];
  return { metadata: { name, namespace, labels }, spec: { clusterIP: podIp, selector, ports } };
}

interface KubeconfigContent {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

const kubeconfigName = 'tiller-gateway-sandbox';

/** A kubeconfig for the sandbox; JSON is YAML too, and kubectl reads it. */
function kubeconfigText({ url, caPem, token }: KubeconfigContent): string {
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': kubeconfigName,
    contexts: [
      {
        name: kubeconfigName,
        context: { cluster: kubeconfigName, user: kubeconfigName, namespace: 'kube-system' },
      },
    ],
    clusters: [
      {
        name: kubeconfigName,
        cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') },
      },
    ],
    users: [{ name: kubeconfigName, user: { token } }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Writes it for its owner only, and whole or not at all: a reader never sees half of it. */
async function writeKubeconfigFile(file: string, content: KubeconfigContent): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, kubeconfigText(content), { mode: 0o600 });
  await rename(temporary, file);
}
