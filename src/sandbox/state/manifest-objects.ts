import { goJson, parseYaml, type YamlMap, type YamlValue } from '@tiller-gateway/helm-render';
import { tillerError } from './tiller-error.ts';

/** One object of a rendered manifest. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Empty for kinds that have none. */
  readonly namespace: string;
  readonly annotations: ReadonlyMap<string, string>;
  readonly document: YamlMap;
}

const clusterKinds = new Set([
  'APIService',
  'CSIDriver',
  'CSINode',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PodSecurityPolicy',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);

/**
 * The objects of a manifest, in its order, lists taken apart.
 * @param namespace where objects go that name none
 * @throws GatewayError UNKNOWN with the text of Tiller's Kubernetes client for what is no object
 */
export function readManifestObjects(manifest: string, namespace: string): ManifestObject[] {
  return splitDocuments(manifest).flatMap(text => {
    const document = parseYaml(text);
    return document === null ? [] : toObjects(document, namespace);
  });
}

/** Documents end at a line that starts with three dashes, whatever else it holds. */
function splitDocuments(manifest: string): string[] {
  return manifest.split(/(?:^|\n)---[^\n]*(?=\n|$)/).filter(text => text.trim() !== '');
}

function toObjects(document: YamlValue, namespace: string): ManifestObject[] {
  if (!(document instanceof Map)) {
    throw tillerError(`error converting YAML to JSON: yaml: unmarshal errors: a manifest must be a map`);
  }
  const kind = text(document.get('kind'));
  if (kind === '')
    throw tillerError(`unable to decode "": Object 'Kind' is missing in '${goJson(document)}'`);
  const apiVersion = text(document.get('apiVersion'));
  if (apiVersion === '') {
    throw tillerError(`unable to decode "": Object 'apiVersion' is missing in '${goJson(document)}'`);
  }
  const items = document.get('items');
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap(item => toObjects(item, namespace));
  const metadata = table(document.get('metadata'));
  const own = text(metadata.get('namespace'));
  return [
    {
      apiVersion,
      kind,
      name: text(metadata.get('name')) || text(metadata.get('generateName')),
      namespace: clusterKinds.has(kind) ? '' : own || namespace,
      annotations: new Map([...table(metadata.get('annotations'))].map(([key, value]) => [key, text(value)])),
      document,
    },
  ];
}

/** The value if it is a map, an empty map otherwise. */
export function table(value: YamlValue | undefined): YamlMap {
  return value instanceof Map ? value : new Map();
}

/** The value if it is a string or number, as text; an empty text otherwise. */
export function text(value: YamlValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}
