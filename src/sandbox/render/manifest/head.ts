import { parseYaml, type YamlValue } from '../../../charts/yaml/index.ts';
import { GatewayError } from '../../../protocol/index.ts';
import { bytesToUtf8 } from '../go/bytes.ts';

/** What Tiller reads of a resource to sort it and to find hooks. */
export interface ManifestHead {
  readonly kind: string;
  readonly name: string;
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

/** A string field: ghodss/yaml turns the scalars of YAML into strings where Go wants one. */
function textOf(value: YamlValue | undefined, field: string): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value) || value instanceof Map) refuse(value, `struct field ${field} of type string`);
  return String(value);
}

function annotationsOf(value: YamlValue | undefined): Map<string, string> {
  if (value === undefined || value === null) return new Map();
  const field = '.metadata.annotations';
  if (!(value instanceof Map)) refuse(value, `struct field ${field} of type map[string]string`);
  return new Map(Array.from(value, ([key, item]) => [key, textOf(item, field)]));
}

function parse(document: string): YamlValue {
  try {
    return parseYaml(bytesToUtf8(document));
  } catch (error) {
    if (error instanceof GatewayError) throw new ManifestError(error.message, { cause: error });
    throw error;
  }
}

/** @throws ManifestError */
export function readManifestHead(document: string): ManifestHead {
  const value = parse(document);
  if (value === null) return { kind: '', name: '', annotations: new Map() };
  if (!(value instanceof Map)) refuse(value, 'value of type releaseutil.SimpleHead');
  textOf(value.get('apiVersion'), 'SimpleHead.apiVersion');
  const metadata = value.get('metadata') ?? null;
  if (metadata !== null && !(metadata instanceof Map)) {
    refuse(metadata, `struct field SimpleHead.metadata of type ${metadataType}`);
  }
  return {
    kind: textOf(value.get('kind'), 'SimpleHead.kind'),
    name: textOf(metadata?.get('name'), '.metadata.name'),
    annotations: annotationsOf(metadata?.get('annotations')),
  };
}
