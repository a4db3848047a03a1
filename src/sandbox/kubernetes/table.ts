import type { KubeObject } from './objects.ts';

type Cell = string | number;

interface Columns {
  readonly names: readonly string[];
  cells(object: KubeObject): Cell[];
}

interface PodFields {
  readonly status: {
    readonly phase: string;
    readonly containerStatuses: readonly { readonly ready: boolean; readonly restartCount: number }[];
  };
}

interface ServiceFields {
  readonly spec: {
    readonly type: string;
    readonly clusterIP: string;
    readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  };
}

interface EndpointsFields {
  readonly subsets: readonly {
    readonly addresses: readonly { readonly ip: string }[];
    readonly ports: readonly { readonly port: number }[];
  }[];
}

const columns: Record<string, Columns> = {
  Namespace: { names: ['Status'], cells: () => ['Active'] },
  Pod: {
    names: ['Ready', 'Status', 'Restarts'],
    cells(object) {
      const { status } = object as unknown as PodFields;
      const ready = status.containerStatuses.filter(container => container.ready).length;
      const restarts = status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
      return [`${ready}/${status.containerStatuses.length}`, status.phase, restarts];
    },
  },
  Service: {
    names: ['Type', 'Cluster-IP', 'External-IP', 'Port(s)'],
    cells(object) {
      const { spec } = object as unknown as ServiceFields;
      const ports = spec.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(',');
      return [spec.type, spec.clusterIP, '<none>', ports];
    },
  },
  Endpoints: {
    names: ['Endpoints'],
    cells(object) {
      const { subsets } = object as unknown as EndpointsFields;
      const all = subsets.flatMap(({ addresses, ports }) =>
        addresses.flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`)),
      );
      return [all.join(',') || '<none>'];
    },
  },
};

/** Whether the client (kubectl) would rather have rows to print than objects. */
export function wantsTable(accept: string | undefined): boolean {
  return /(^|,)\s*application\/json\s*;[^,]*\bas=Table\b/.test(accept ?? '');
}

/**
 * The objects as `meta.k8s.io/v1` Table.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function toTable(kind: string, objects: readonly KubeObject[], now = Date.now()) {
  const own = columns[kind] ?? { names: [], cells: () => [] };
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '1' },
    columnDefinitions: ['Name', ...own.names, 'Age'].map(name => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: 0,
    })),
    rows: objects.map(object => ({
      cells: [
        object.metadata.name,
        ...own.cells(object),
        toAge(now - Date.parse(object.metadata.creationTimestamp)),
      ],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

function toAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
