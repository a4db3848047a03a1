import { HelmRenderError } from '../chart/helm-render-error.ts';
import { parseYamlBytes } from '../go/yaml-values.ts';
import type { YamlMap, YamlValue } from '../yaml/index.ts';

/** What Tiller reads of a resource to sort it and to find hooks. */
export interface ManifestHead {
  readonly kind: string;
  readonly name: string;
  /** Whether there is `metadata` at all, be it empty. */
  readonly hasMetadata: boolean;
  readonly annotations: ReadonlyMap<string, string>;
}

/** A manifest that cannot be read; the message is Go's, in JavaScript text. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

const metadataType =
  'struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }';

function jsonKind(value: YamlValue): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof Map) return 'object';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'number';
}

function refuse(value: YamlValue, place: string): never {
  throw new ManifestError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into Go ${place}`,
  );
}

/**
 * A field as encoding/json finds it: whatever its case. Keys come sorted, so that of `Kind` and `kind` the latter counts;
 * a null changes nothing.
 */
function fieldOf(map: YamlMap, name: string): YamlValue {
  const keys = [...map.keys()].filter(key => key.toLowerCase() === name.toLowerCase()).sort();
  return keys.map(key => map.get(key) ?? null).findLast(value => value !== null) ?? null;
}

/** A string field: ghodss/yaml turns the scalars of YAML into strings where Go wants one. */
function textOf(value: YamlValue, field: string): string {
  if (value === null) return '';
  if (Array.isArray(value) || value instanceof Map) refuse(value, `struct field ${field} of type string`);
  return String(value);
}

function annotationsOf(value: YamlValue): Map<string, string> {
  if (value === null) return new Map();
  const field = '.metadata.annotations';
  if (!(value instanceof Map)) refuse(value, `struct field ${field} of type map[string]string`);
  return new Map(Array.from(value, ([key, item]) => [key, textOf(item, field)]));
}

function parse(document: string): YamlValue {
  try {
    return parseYamlBytes(document);
  } catch (error) {
    if (error instanceof HelmRenderError) throw new ManifestError(error.message, { cause: error });
    throw error;
  }
}

/** @throws ManifestError */
export function readManifestHead(document: string): ManifestHead {
  const value = parse(document);
  const nothing = { kind: '', name: '', hasMetadata: false, annotations: new Map<string, string>() };
  if (value === null) return nothing;
  if (!(value instanceof Map)) refuse(value, 'value of type releaseutil.SimpleHead');
  // In the order of the keys in JSON: the first that does not fit makes the error.
  textOf(fieldOf(value, 'apiVersion'), 'SimpleHead.apiVersion');
  const kind = textOf(fieldOf(value, 'kind'), 'SimpleHead.kind');
  const metadata = fieldOf(value, 'metadata');
  if (metadata !== null && !(metadata instanceof Map)) {
    refuse(metadata, `struct field SimpleHead.metadata of type ${metadataType}`);
  }
  if (metadata === null) return { ...nothing, kind };
  const annotations = annotationsOf(fieldOf(metadata, 'annotations'));
  return { kind, name: textOf(fieldOf(metadata, 'name'), '.metadata.name'), hasMetadata: true, annotations };
}
