import { randomBytes, randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { createApiServer } from './api-server.ts';
import { createServerCertificate, type ServerCertificate } from './certificate.ts';
import type { ClusterState, SandboxPod, SandboxService, Target } from './cluster-state.ts';
import { createFaults, type Misbehaviour } from './faults.ts';

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
const gatewayLabels = { app: 'tiller-gateway' };

/**
 * Starts a small HTTPS API server with one Tiller and the gateway's Service in it: what kubectl, `cluster-info`, the
 * service proxy and port-forwards over WebSocket need, and no more. Read-only; its CA and token are made anew.
 */
export async function createSandboxKubernetes(options: SandboxKubernetesOptions): Promise<SandboxKubernetes> {
  const { host = '127.0.0.1' } = options;
  const [tillerTarget, certificate] = await Promise.all([
    options.tillerTarget,
    options.certificate ?? createServerCertificate(),
  ]);
  const services = options.gatewayService === false ? [] : [gatewayService()];
  const state: ClusterState = { pods: [], services };
  const faults = createFaults();
  let token = createToken();
  const server = createApiServer({ state, certificate, faults, token: () => token });
  const port = await server.listen(host, options.port ?? 0);
  const url = `https://${host}:${port}`;

  function addTiller({ namespace, target, ready = true, service = true }: AddTillerOptions): string {
    const pod = tillerPod(namespace, target, ready);
    state.pods.push(pod);
    const hasService = state.services.some(
      other => other.namespace === namespace && other.name === 'tiller-deploy',
    );
    if (service && !hasService) state.services.push(tillerService(namespace));
    return pod.name;
  }

  function removePod(namespace: string, name: string): void {
    const pod = state.pods.find(other => other.namespace === namespace && other.name === name);
    state.pods = state.pods.filter(other => other !== pod);
    if (pod) faults.cutTunnelsTo(pod.uid);
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
      state.pods = state.pods.filter(({ labels }) => labels.app !== gatewayLabels.app);
      state.pods.push(gatewayPod(target));
    },
    addTiller,
    removePod,
    replaceTiller() {
      const old = tiller;
      tiller = addTiller({ namespace: 'kube-system', target: tillerTarget });
      removePod('kube-system', old);
      return tiller;
    },
    rotateToken() {
      token = createToken();
      return token;
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

function tillerPod(namespace: string, target: Target, ready: boolean): SandboxPod {
  return {
    ...identity(namespace, `tiller-deploy-${randomBytes(5).toString('hex')}`, tillerLabels),
    image: 'gcr.io/kubernetes-helm/tiller:v2.17.0',
    ready,
    ports: [{ name: 'tiller', port: tillerPort, target }],
  };
}

function tillerService(namespace: string): SandboxService {
  const ports = [{ name: 'tiller', port: tillerPort }];
  return { ...identity(namespace, 'tiller-deploy', tillerLabels), selector: tillerLabels, ports };
}

function gatewayPod(target: Target): SandboxPod {
  return {
    ...identity('kube-system', `tiller-gateway-${randomBytes(5).toString('hex')}`, gatewayLabels),
    image: 'tiller-gateway',
    ready: true,
    ports: [{ name: 'http', port: 9855, target }],
  };
}

/** As in `manifests/base`: the labels are what `kubectl cluster-info` looks for. */
function gatewayService(): SandboxService {
  const labels = { ...gatewayLabels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'Swift' };
  const ports = [{ name: 'http', port: 9855 }];
  return { ...identity('kube-system', 'swift', labels), selector: gatewayLabels, ports };
}

function identity(namespace: string, name: string, labels: Readonly<Record<string, string>>) {
  return { namespace, name, uid: randomUUID(), createdAt: new Date(), labels };
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
