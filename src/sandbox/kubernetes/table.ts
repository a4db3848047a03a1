import { type Json, type KubeObject, listOf, objectOf, textOf } from '../objects/kube-object.ts';

type Cell = string | number | boolean | null;

interface Column {
  readonly name: string;
  /** Default: string. */
  readonly type?: 'string' | 'integer';
  readonly description?: string;
  /** 1: only in `-o wide`. */
  readonly priority?: number;
}

interface Columns {
  readonly columns: readonly Column[];
  cells(object: KubeObject): Cell[];
}

const nameText =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: http://kubernetes.io/docs/user-guide/identifiers#names';
const ageText =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';
const dataText =
  "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.";

const containersText = 'Names of each container in the template.';
const imagesText = 'Images referenced by each container in the template.';

/** Name and age stand around these; columns of priority 1 come after the age. */
const columnsByKind: Readonly<Record<string, Columns>> = {
  ConfigMap: {
    columns: [{ name: 'Data', description: dataText }],
    cells: ({ data, binaryData }) => [countOf(data) + countOf(binaryData)],
  },
  CronJob: {
    columns: [{ name: 'Schedule' }, { name: 'Suspend' }, { name: 'Active', type: 'integer' }],
    cells: ({ spec, status }) => [
      textOf(objectOf(spec).schedule),
      objectOf(spec).suspend === true ? 'True' : 'False',
      listOf(objectOf(status).active).length,
    ],
  },
  DaemonSet: {
    columns: ['Desired', 'Current', 'Ready', 'Up-to-date', 'Available'].map(name => ({ name })),
    cells: ({ status }) =>
      [
        'desiredNumberScheduled',
        'currentNumberScheduled',
        'numberReady',
        'updatedNumberScheduled',
        'numberAvailable',
      ].map(field => numberOf(objectOf(status)[field])),
  },
  Deployment: {
    columns: [
      { name: 'Ready', description: 'Number of the pod with ready state' },
      {
        name: 'Up-to-date',
        description:
          'Total number of non-terminated pods targeted by this deployment that have the desired template spec.',
      },
      {
        name: 'Available',
        description:
          'Total number of available pods (ready for at least minReadySeconds) targeted by this deployment.',
      },
      { name: 'Containers', description: containersText, priority: 1 },
      { name: 'Images', description: imagesText, priority: 1 },
      {
        name: 'Selector',
        description:
          'Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment.',
        priority: 1,
      },
    ],
    cells: ({ spec, status }) => {
      const { readyReplicas, updatedReplicas, availableReplicas } = objectOf(status);
      const { replicas, template, selector } = objectOf(spec);
      const containers = listOf(objectOf(objectOf(template).spec).containers).map(objectOf);
      return [
        `${numberOf(readyReplicas)}/${numberOf(replicas)}`,
        numberOf(updatedReplicas),
        numberOf(availableReplicas),
        containers.map(({ name }) => textOf(name)).join(','),
        containers.map(({ image }) => textOf(image)).join(','),
        labelsText(objectOf(selector).matchLabels),
      ];
    },
  },
  Endpoints: {
    columns: [{ name: 'Endpoints' }],
    cells: ({ subsets }) => {
      const all = listOf(subsets).flatMap(subset => {
        const { addresses, ports } = objectOf(subset);
        return listOf(addresses).flatMap(address =>
          listOf(ports).map(port => `${textOf(objectOf(address).ip)}:${numberOf(objectOf(port).port)}`),
        );
      });
      return [all.join(',') || '<none>'];
    },
  },
  Ingress: {
    columns: [{ name: 'Class' }, { name: 'Hosts' }, { name: 'Address' }, { name: 'Ports' }],
    cells: ({ spec }) => {
      const { ingressClassName, rules, tls } = objectOf(spec);
      const hosts = listOf(rules).map(rule => textOf(objectOf(rule).host) || '*');
      return [textOf(ingressClassName) || '<none>', hosts.join(',') || '*', '', tls ? '80, 443' : '80'];
    },
  },
  Job: {
    columns: [{ name: 'Completions' }, { name: 'Duration' }],
    cells: ({ spec, status }) => [
      `${numberOf(objectOf(status).succeeded)}/${numberOf(objectOf(spec).completions ?? 1)}`,
      '',
    ],
  },
  Namespace: { columns: [{ name: 'Status' }], cells: ({ status }) => [textOf(objectOf(status).phase)] },
  PersistentVolumeClaim: {
    columns: [{ name: 'Status' }, { name: 'Volume' }, { name: 'Capacity' }, { name: 'Access Modes' }],
    cells: ({ spec, status }) => [
      textOf(objectOf(status).phase),
      textOf(objectOf(spec).volumeName),
      '',
      listOf(objectOf(spec).accessModes).join(','),
    ],
  },
  Pod: {
    columns: [{ name: 'Ready' }, { name: 'Status' }, { name: 'Restarts', type: 'integer' }],
    cells: ({ spec, status }) => {
      const { containerStatuses, phase } = objectOf(status);
      const containers = listOf(containerStatuses).map(objectOf);
      const ready = containers.filter(container => container.ready === true).length;
      const restarts = containers.reduce((sum, container) => sum + numberOf(container.restartCount), 0);
      return [`${ready}/${listOf(objectOf(spec).containers).length}`, textOf(phase), restarts];
    },
  },
  ReplicaSet: {
    columns: ['Desired', 'Current', 'Ready'].map(name => ({ name })),
    cells: ({ spec, status }) => [
      numberOf(objectOf(spec).replicas),
      numberOf(objectOf(status).replicas),
      numberOf(objectOf(status).readyReplicas),
    ],
  },
  Secret: {
    columns: [{ name: 'Type' }, { name: 'Data' }],
    cells: ({ type, data }) => [textOf(type), countOf(data)],
  },
  Service: {
    columns: [{ name: 'Type' }, { name: 'Cluster-IP' }, { name: 'External-IP' }, { name: 'Port(s)' }],
    cells: ({ spec }) => {
      const { type, clusterIP, ports } = objectOf(spec);
      const texts = listOf(ports).map(port => `${objectOf(port).port}/${objectOf(port).protocol}`);
      return [textOf(type), textOf(clusterIP) || '<none>', '<none>', texts.join(',') || '<none>'];
    },
  },
  ServiceAccount: { columns: [{ name: 'Secrets' }], cells: ({ secrets }) => [listOf(secrets).length] },
  StatefulSet: {
    columns: [{ name: 'Ready' }],
    cells: ({ spec, status }) => [
      `${numberOf(objectOf(status).readyReplicas)}/${numberOf(objectOf(spec).replicas)}`,
    ],
  },
};

export interface TableOptions {
  readonly apiVersion: string;
  readonly metadata: object;
  /** Whether the columns are described. */
  readonly hasColumns: boolean;
  /** What a row carries of its object. */
  readonly rowObject: (object: KubeObject) => object | null;
}

const noColumns: Columns = { columns: [], cells: () => [] };

/**
 * The objects as a Table, for kubectl to print.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function toTable(
  kind: string,
  objects: readonly KubeObject[],
  options: TableOptions,
  now = Date.now(),
) {
  const own = (Object.hasOwn(columnsByKind, kind) ? columnsByKind[kind] : undefined) ?? noColumns;
  const wide = own.columns.filter(({ priority }) => priority === 1).length;
  const narrow = own.columns.length - wide;
  const columns = [
    { name: 'Name', format: 'name', description: nameText },
    ...own.columns.slice(0, narrow),
    { name: 'Age', description: ageText },
    ...own.columns.slice(narrow),
  ];
  return {
    kind: 'Table',
    apiVersion: options.apiVersion,
    metadata: options.metadata,
    columnDefinitions: options.hasColumns
      ? columns.map(column => ({ type: 'string', format: '', description: '', priority: 0, ...column }))
      : null,
    rows: objects.map(object => {
      const cells = own.cells(object);
      const age = toAge(now - Date.parse(object.metadata.creationTimestamp ?? ''));
      return {
        cells: [object.metadata.name, ...cells.slice(0, narrow), age, ...cells.slice(narrow)],
        object: options.rowObject(object),
      };
    }),
  };
}

/** As `duration.HumanDuration` of apimachinery. */
export function toAge(ageMs: number): string {
  if (Number.isNaN(ageMs)) return '<unknown>';
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${rest(seconds % 60, 's')}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${rest(minutes % 60, 'm')}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return `${days}d${rest(hours % 24, 'h')}`;
  if (days < 730) return `${days}d`;
  return `${Math.floor(days / 365)}y${rest(days < 2920 ? days % 365 : 0, 'd')}`;
}

function rest(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function countOf(map: unknown): number {
  return Object.keys(objectOf(map)).length;
}

function labelsText(labels: Json | undefined): string {
  const entries = Object.entries(objectOf(labels)).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${textOf(value)}`).join(',') || '<none>';
}
