import { type ClusterState, podsBehind, type SandboxPod, type SandboxService } from './cluster-state.ts';

/** A Kubernetes object as JSON. */
export interface KubeObject {
  readonly apiVersion: 'v1';
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Everything runs on this machine. */
const podIp = '127.0.0.1';

export function podToObject(pod: SandboxPod): KubeObject {
  const startedAt = toTime(pod.createdAt);
  const condition = pod.ready ? 'True' : 'False';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadataOf(pod),
    spec: {
      containers: [
        {
          name: pod.labels.name ?? pod.name,
          image: pod.image,
          ports: pod.ports.map(({ name, port }) => ({ name, containerPort: port, protocol: 'TCP' })),
        },
      ],
      nodeName: 'sandbox',
      restartPolicy: 'Always',
    },
    status: {
      phase: 'Running',
      podIP: podIp,
      podIPs: [{ ip: podIp }],
      hostIP: podIp,
      startTime: startedAt,
      conditions: ['PodScheduled', 'Initialized']
        .map(type => ({ type, status: 'True' }))
        .concat(['ContainersReady', 'Ready'].map(type => ({ type, status: condition }))),
      containerStatuses: [
        {
          name: pod.labels.name ?? pod.name,
          image: pod.image,
          imageID: '',
          ready: pod.ready,
          restartCount: 0,
          state: { running: { startedAt } },
        },
      ],
    },
  };
}

export function serviceToObject(service: SandboxService): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(service),
    spec: {
      type: 'ClusterIP',
      clusterIP: podIp,
      selector: service.selector,
      ports: service.ports.map(({ name, port }) => ({ name, port, protocol: 'TCP', targetPort: name })),
      sessionAffinity: 'None',
    },
    status: { loadBalancer: {} },
  };
}

export function endpointsToObject(state: ClusterState, service: SandboxService): KubeObject {
  const pods = podsBehind(state, service);
  const addresses = pods.map(pod => ({
    ip: podIp,
    nodeName: 'sandbox',
    targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid },
  }));
  const ports = service.ports.map(({ name, port }) => ({ name, port, protocol: 'TCP' }));
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: metadataOf(service),
    subsets: addresses.length > 0 ? [{ addresses, ports }] : [],
  };
}

/** The namespaces that anything lives in. */
export function namespacesOf(state: ClusterState): KubeObject[] {
  const oldest = new Map<string, SandboxPod | SandboxService>();
  for (const object of [...state.services, ...state.pods]) {
    const known = oldest.get(object.namespace);
    if (!known || object.createdAt < known.createdAt) oldest.set(object.namespace, object);
  }
  return [...oldest].map(([name, { createdAt }]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      uid: `namespace-${name}`,
      resourceVersion: '1',
      creationTimestamp: toTime(createdAt),
      labels: {},
    },
    status: { phase: 'Active' },
  }));
}

/** RFC 3339 in whole seconds, as Kubernetes writes it. */
export function toTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function metadataOf(object: SandboxPod | SandboxService): KubeObject['metadata'] {
  const { namespace, name, uid, createdAt, labels } = object;
  return { name, namespace, uid, resourceVersion: '1', creationTimestamp: toTime(createdAt), labels };
}
