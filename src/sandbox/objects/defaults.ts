import type { FailureCause } from './failure.ts';
import { isObject, type Json, type KubeObject, listOf, objectOf, textOf } from './kube-object.ts';

type JsonObject = { readonly [key: string]: Json };

/** The API server's bound on the data of a ConfigMap or Secret. */
const maxDataBytes = 1024 * 1024;

const rollingUpdate = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };

/** What the API server fills in, by kind; the specification is that of the object. */
const defaultsByKind: Readonly<Record<string, (spec: JsonObject, object: KubeObject) => object>> = {
  CronJob: spec => ({ spec: { concurrencyPolicy: 'Allow', suspend: false, ...spec }, status: {} }),
  DaemonSet: spec => ({
    spec: { revisionHistoryLimit: 10, ...withTemplate(spec) },
    status: {},
  }),
  Deployment: spec => ({
    spec: {
      replicas: 1,
      strategy: rollingUpdate,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...withTemplate(spec),
    },
    status: {},
  }),
  Job: spec => ({
    spec: { parallelism: 1, completions: 1, backoffLimit: 6, ...withTemplate(spec) },
    status: {},
  }),
  Namespace: spec => ({ spec: { finalizers: ['kubernetes'], ...spec }, status: { phase: 'Active' } }),
  PersistentVolumeClaim: spec => ({
    spec: { volumeMode: 'Filesystem', ...spec },
    status: { phase: 'Pending' },
  }),
  Pod: spec => ({ spec: podSpec(spec), status: { phase: 'Pending' } }),
  ReplicaSet: spec => ({ spec: { replicas: 1, ...withTemplate(spec) }, status: {} }),
  Secret: (_spec, { type, data, stringData }) => ({
    type: textOf(type) || 'Opaque',
    ...(isObject(stringData) ? { data: { ...objectOf(data), ...toBase64(stringData) } } : {}),
    stringData: undefined,
  }),
  Service: spec => ({ spec: serviceSpec(spec), status: { loadBalancer: {} } }),
  StatefulSet: spec => ({
    spec: {
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      ...withTemplate(spec),
    },
    status: {},
  }),
};

/** The object with what the API server (1.18) fills in, for the kinds that charts use most. */
export function setDefaults(object: KubeObject): KubeObject {
  const kind = object.kind ?? '';
  const defaults = Object.hasOwn(defaultsByKind, kind) ? defaultsByKind[kind] : undefined;
  if (!defaults) return object;
  const { status, ...set } = defaults(objectOf(object.spec), object) as { status?: Json };
  const full = { ...object, ...set };
  return status === undefined || object.status !== undefined ? full : { ...full, status };
}

const selecting: ReadonlySet<string> = new Set(['Deployment', 'DaemonSet', 'ReplicaSet', 'StatefulSet']);

/** What the API server has against an object's fields: of its checks those that users of charts meet. */
export function validateFields({ kind = '', spec, data, binaryData }: KubeObject): FailureCause[] {
  if (kind === 'ConfigMap' || kind === 'Secret') {
    const bytes = dataBytes(data, kind === 'Secret') + dataBytes(binaryData, true);
    return bytes <= maxDataBytes ? [] : [tooLong(kind)];
  }
  if (!selecting.has(kind)) return [];
  const { selector, template } = objectOf(spec);
  const labels = objectOf(objectOf(objectOf(template).metadata).labels);
  const { matchLabels } = objectOf(selector);
  if (!isObject(matchLabels)) return [];
  if (Object.entries(matchLabels).every(([key, value]) => labels[key] === value)) return [];
  const message = `Invalid value: map[string]string${goMap(labels)}: \`selector\` does not match template \`labels\``;
  return [{ reason: 'FieldValueInvalid', message, field: 'spec.template.metadata.labels' }];
}

function tooLong(kind: string): FailureCause {
  return {
    reason: 'FieldValueTooLong',
    message: `Too long: must have at most ${maxDataBytes} bytes`,
    field: kind === 'Secret' ? 'data' : '[]',
  };
}

function dataBytes(data: unknown, isBase64: boolean): number {
  let bytes = 0;
  for (const value of Object.values(objectOf(data))) {
    const text = textOf(value);
    bytes += isBase64 ? Math.floor((text.length * 3) / 4) : Buffer.byteLength(text);
  }
  return bytes;
}

/** `{"a":"b", "c":"d"}`, as Go's `%#v` prints a map. */
function goMap(map: JsonObject): string {
  const entries = Object.keys(map).sort();
  return `{${entries.map(key => `${JSON.stringify(key)}:${JSON.stringify(map[key])}`).join(', ')}}`;
}

function withTemplate(spec: JsonObject): JsonObject {
  const template = objectOf(spec.template);
  const metadata = { creationTimestamp: null, ...objectOf(template.metadata) };
  return { ...spec, template: { ...template, metadata, spec: podSpec(objectOf(template.spec)) } };
}

function podSpec(spec: JsonObject): JsonObject {
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...spec,
    containers: listOf(spec.containers).map(containerWithDefaults),
    ...(spec.initContainers === undefined
      ? {}
      : { initContainers: listOf(spec.initContainers).map(containerWithDefaults) }),
  };
}

function containerWithDefaults(container: Json): Json {
  if (!isObject(container)) return container;
  const image = textOf(container.image);
  const isLatest = /:latest$/.test(image) || !/:[^/]+$|@/.test(image);
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    ...container,
    ...(container.ports === undefined ? {} : { ports: listOf(container.ports).map(withProtocol) }),
  };
}

function serviceSpec(spec: JsonObject): JsonObject {
  const ports = listOf(spec.ports)
    .map(withProtocol)
    .map(port => (isObject(port) ? { targetPort: port.port ?? null, ...port } : port));
  const address = spec.type === 'ExternalName' ? {} : { clusterIP: clusterAddress() };
  return { type: 'ClusterIP', sessionAffinity: 'None', ...address, ...spec, ports };
}

function withProtocol(port: Json): Json {
  return isObject(port) ? { protocol: 'TCP', ...port } : port;
}

/** An address as a Service gets one; nothing listens there. */
function clusterAddress(): string {
  const number = Math.floor(Math.random() * 65_000) + 256;
  return `10.96.${number >> 8}.${number & 255}`;
}

function toBase64(texts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, Buffer.from(textOf(value)).toString('base64')]),
  );
}
