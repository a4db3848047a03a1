import {
  goJson,
  type ManifestDocument,
  parseYaml,
  readForUninstall,
  type YamlValue,
} from '@tiller-gateway/helm-render';
import { type PodOutcome, podOutcome, table, text } from './pod-outcome.ts';
import { tillerError } from './tiller-error.ts';

/** One object of a rendered manifest. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty where Kubernetes is to make a name up from `generateName`, and where neither is given. */
  readonly name: string;
  readonly generateName: string;
  /** Empty for kinds that have none. */
  readonly namespace: string;
  readonly annotations: ReadonlyMap<string, string>;
  /** The whole object. */
  readonly json: string;
  /** How it would end, for a Pod or a Job. */
  readonly outcome: PodOutcome | undefined;
}

/** One document of a manifest, and the objects in it: none in one of comments, several in a list. */
export interface ObjectDocument extends Omit<ManifestDocument, 'text'> {
  readonly objects: readonly ManifestObject[];
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

/**
 * The documents of a release's manifest in the order in which Tiller deletes them.
 * @throws GatewayError UNKNOWN with Tiller's text; HelmRenderError
 */
export function readObjectDocuments(manifest: string, namespace: string): ObjectDocument[] {
  return readForUninstall(manifest).map(({ text, ...head }) => ({
    ...head,
    objects: readManifestObjects(text, namespace),
  }));
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
  if (Array.isArray(items)) return items.flatMap(item => toObjects(item, namespace));
  const metadata = table(document.get('metadata'));
  const own = text(metadata.get('namespace'));
  const annotations = new Map(
    [...table(metadata.get('annotations'))].map(([key, value]) => [key, text(value)]),
  );
  return [
    {
      apiVersion,
      kind,
      name: text(metadata.get('name')),
      generateName: text(metadata.get('generateName')),
      namespace: clusterKinds.has(kind) ? '' : own || namespace,
      annotations,
      json: goJson(document),
      outcome: podOutcome(kind, document, annotations),
    },
  ];
}
