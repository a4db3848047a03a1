import { createHash } from 'node:crypto';
import { countAt, listAt, type Resource, sizeAt, textAt, valueAt } from './resource.ts';

/** What kubectl's tables show of a kind between its name and its age. In the sandbox everything runs at once. */
export interface Columns {
  readonly headers: readonly string[];
  readonly cells: (resource: Resource, age: string) => readonly string[];
}

const none = '<none>';

const orNone = (text: string) => (text === '' ? none : text);

const replicas = (resource: Resource) => countAt(resource, 1, 'spec', 'replicas');

/** An address within the service range that stays the same for a name. */
function clusterAddress(name: string): string {
  const [second, third] = createHash('sha256').update(name).digest();
  return `10.96.${second}.${third || 1}`;
}

function clusterIp(service: Resource): string {
  const given = textAt(service, 'spec', 'clusterIP');
  if (given !== '') return given;
  return textAt(service, 'spec', 'type') === 'ExternalName' ? none : clusterAddress(service.name);
}

function externalIp(service: Resource): string {
  const external = listAt(service, 'spec', 'externalIPs').map(String);
  if (external.length > 0) return external.join(',');
  switch (textAt(service, 'spec', 'type')) {
    case 'LoadBalancer':
      return '<pending>';
    case 'ExternalName':
      return orNone(textAt(service, 'spec', 'externalName'));
    default:
      return none;
  }
}

function ports(service: Resource): string {
  const shown = listAt(service, 'spec', 'ports').map(port => {
    const nodePort = valueAt(port, ['nodePort']);
    const node = nodePort === undefined || nodePort === null ? '' : `:${nodePort}`;
    return `${valueAt(port, ['port']) ?? ''}${node}/${valueAt(port, ['protocol']) ?? 'TCP'}`;
  });
  return orNone(shown.join(','));
}

const accessModeNames: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
};

function accessModes(claim: Resource): string {
  const modes = listAt(claim, 'spec', 'accessModes').map(String);
  return modes.map(mode => accessModeNames[mode] ?? mode).join(',');
}

function selectorText(resource: Resource, ...path: string[]): string {
  const selector = valueAt(resource.body, path);
  if (!(selector instanceof Map)) return none;
  return orNone(Array.from(selector, ([key, value]) => `${key}=${value}`).join(','));
}

function ingressHosts(ingress: Resource): string {
  const hosts = listAt(ingress, 'spec', 'rules').map(rule => String(valueAt(rule, ['host']) ?? '*'));
  return hosts.length === 0
    ? '*'
    : hosts.slice(0, 3).join(',') + (hosts.length > 3 ? ` + ${hosts.length - 3} more...` : '');
}

const containerCount = (pod: Resource) => listAt(pod, 'spec', 'containers').length;

const scaled: Columns = {
  headers: ['DESIRED', 'CURRENT', 'READY'],
  cells: resource => Array.from({ length: 3 }, () => String(replicas(resource))),
};

const plain: Columns = { headers: [], cells: () => [] };

const columnsOf: Readonly<Record<string, Columns>> = {
  ConfigMap: {
    headers: ['DATA'],
    cells: map => [String(sizeAt(map, 'data') + sizeAt(map, 'binaryData'))],
  },
  Secret: {
    headers: ['TYPE', 'DATA'],
    cells: secret => [
      textAt(secret, 'type') || 'Opaque',
      String(new Set([...keysAt(secret, 'data'), ...keysAt(secret, 'stringData')]).size),
    ],
  },
  Service: {
    headers: ['TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)'],
    cells: service => [
      textAt(service, 'spec', 'type') || 'ClusterIP',
      clusterIp(service),
      externalIp(service),
      ports(service),
    ],
  },
  ServiceAccount: { headers: ['SECRETS'], cells: () => ['1'] },
  Deployment: {
    headers: ['READY', 'UP-TO-DATE', 'AVAILABLE'],
    cells: deployment => {
      const count = replicas(deployment);
      return [`${count}/${count}`, String(count), String(count)];
    },
  },
  StatefulSet: { headers: ['READY'], cells: set => [`${replicas(set)}/${replicas(set)}`] },
  ReplicaSet: scaled,
  ReplicationController: scaled,
  DaemonSet: {
    headers: ['DESIRED', 'CURRENT', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'NODE SELECTOR'],
    cells: set => ['1', '1', '1', '1', '1', selectorText(set, 'spec', 'template', 'spec', 'nodeSelector')],
  },
  Pod: {
    headers: ['READY', 'STATUS', 'RESTARTS'],
    cells: pod => [`${containerCount(pod)}/${containerCount(pod)}`, 'Running', '0'],
  },
  Job: {
    headers: ['COMPLETIONS', 'DURATION'],
    cells: (job, age) => {
      const count = countAt(job, 1, 'spec', 'completions');
      return [`0/${count}`, age];
    },
  },
  CronJob: {
    headers: ['SCHEDULE', 'SUSPEND', 'ACTIVE', 'LAST SCHEDULE'],
    cells: job => [
      textAt(job, 'spec', 'schedule'),
      textAt(job, 'spec', 'suspend') === 'true' ? 'True' : 'False',
      '0',
      none,
    ],
  },
  Ingress: {
    headers: ['HOSTS', 'ADDRESS', 'PORTS'],
    cells: ingress => [
      ingressHosts(ingress),
      '',
      listAt(ingress, 'spec', 'tls').length > 0 ? '80, 443' : '80',
    ],
  },
  PersistentVolumeClaim: {
    headers: ['STATUS', 'VOLUME', 'CAPACITY', 'ACCESS MODES', 'STORAGECLASS'],
    cells: claim => [
      'Bound',
      `pvc-${claim.name}`,
      textAt(claim, 'spec', 'resources', 'requests', 'storage'),
      accessModes(claim),
      textAt(claim, 'spec', 'storageClassName') || 'standard',
    ],
  },
  HorizontalPodAutoscaler: {
    headers: ['REFERENCE', 'TARGETS', 'MINPODS', 'MAXPODS', 'REPLICAS'],
    cells: scaler => [
      `${textAt(scaler, 'spec', 'scaleTargetRef', 'kind')}/${textAt(scaler, 'spec', 'scaleTargetRef', 'name')}`,
      '<unknown>',
      String(countAt(scaler, 1, 'spec', 'minReplicas')),
      textAt(scaler, 'spec', 'maxReplicas'),
      String(countAt(scaler, 1, 'spec', 'minReplicas')),
    ],
  },
  PodDisruptionBudget: {
    headers: ['MIN AVAILABLE', 'MAX UNAVAILABLE', 'ALLOWED DISRUPTIONS'],
    cells: budget => [
      textAt(budget, 'spec', 'minAvailable') || 'N/A',
      textAt(budget, 'spec', 'maxUnavailable') || 'N/A',
      '0',
    ],
  },
  NetworkPolicy: {
    headers: ['POD-SELECTOR'],
    cells: policy => [selectorText(policy, 'spec', 'podSelector', 'matchLabels')],
  },
  Namespace: { headers: ['STATUS'], cells: () => ['Active'] },
};

function keysAt(resource: Resource, key: string): string[] {
  const value = resource.body.get(key);
  return value instanceof Map ? [...value.keys()] : [];
}

/** A kind's columns; kinds without columns of their own show name and age. */
export function columnsFor(kind: string): Columns {
  return columnsOf[kind] ?? plain;
}
