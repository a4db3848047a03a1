import type { YamlBounds } from './bounds.ts';
import { formatFloatG, shortestFloat32 } from './go-float.ts';
import { nodeToGoSyntax, scalarValue } from './go-syntax.ts';
import type { AliasNode, MappingNode, ScalarNode, YamlMap, YamlNode, YamlValue } from './node.ts';
import { YamlError } from './yaml-error.ts';

/** yaml.v2's guard against alias bombs: the share of values that may come from aliases falls with their number. */
const freeValues = 400_000;
const strictValues = 4_000_000;

/** The outcome of decoding: a value that JSON can hold, or what keeps it from that. */
export interface Decoded {
  readonly value: YamlValue;
  /** Why ghodss/yaml cannot turn the value into JSON; the text has no `yaml: ` in front. */
  readonly jsonProblem: string | undefined;
}

/**
 * Turns a document into a value as yaml.v2 does, with its keys turned into strings as ghodss/yaml does. Of a key given
 * twice the last counts; a merge (`<<`) counts where it stands. Throws YamlError.
 */
export function decodeDocument(document: YamlNode, bounds: YamlBounds): Decoded {
  const decoder = new Decoder(bounds);
  const value = decoder.decode(document);
  return { value, jsonProblem: decoder.jsonProblem };
}

class Decoder {
  readonly #bounds: YamlBounds;
  readonly #open = new Set<YamlNode>();
  #count = 0;
  #fromAliases = 0;
  #aliasDepth = 0;
  #depth = 0;
  jsonProblem: string | undefined;

  constructor(bounds: YamlBounds) {
    this.#bounds = bounds;
  }

  decode(node: YamlNode): YamlValue {
    this.#countValue();
    switch (node.kind) {
      case 'alias':
        return this.#decodeAlias(node, () => this.decode(node.target));
      case 'scalar':
        return this.#decodeScalar(node);
      case 'sequence':
        return this.#nested(() => node.items.map(item => this.decode(item)));
      case 'mapping':
        return this.#nested(() => this.#decodeMapping(node, new Map()));
    }
  }

  #decodeScalar(node: ScalarNode): YamlValue {
    const value = scalarValue(node);
    if (typeof value === 'number' && !Number.isFinite(value)) {
      this.jsonProblem ??= `json: unsupported value: ${formatFloatG(value)}`;
    }
    return value;
  }

  #countValue(): void {
    this.#count++;
    if (this.#aliasDepth > 0) this.#fromAliases++;
    const share = this.#fromAliases / this.#count;
    if (this.#fromAliases > 100 && this.#count > 1000 && share > allowedAliasShare(this.#count)) {
      throw new YamlError('document contains excessive aliasing');
    }
    if (this.#count > this.#bounds.maxNodes) {
      throw new YamlError(`document has more than ${this.#bounds.maxNodes} values`);
    }
  }

  #nested<T>(decode: () => T): T {
    // Aliases can nest deeper than the text does.
    if (++this.#depth > this.#bounds.maxDepth) {
      throw new YamlError(`exceeded max depth of ${this.#bounds.maxDepth}`);
    }
    const value = decode();
    this.#depth--;
    return value;
  }

  #decodeAlias<T>(node: AliasNode, decode: () => T): T {
    if (this.#open.has(node.target)) throw new YamlError(`anchor '${node.name}' value contains itself`);
    this.#open.add(node.target);
    this.#aliasDepth++;
    const value = decode();
    this.#aliasDepth--;
    this.#open.delete(node.target);
    return value;
  }

  #decodeMapping(node: MappingNode, into: YamlMap): YamlMap {
    for (const [key, value] of node.entries) {
      if (key.kind === 'scalar' && isMerge(key)) this.#merge(value, into);
      else this.#decodeEntry(key, value, into);
    }
    return into;
  }

  #decodeEntry(key: YamlNode, value: YamlNode, into: YamlMap): void {
    const target = key.kind === 'alias' ? key.target : key;
    if (target.kind !== 'scalar') {
      // The error shows the whole key, so it must be within the bounds first.
      this.decode(key);
      throw new YamlError(`invalid map key: ${nodeToGoSyntax(target)}`);
    }
    this.#countValue();
    const decoded = scalarValue(target);
    const text = keyToString(decoded);
    into.set(text ?? '', this.decode(value));
    if (text !== undefined) return;
    const type = decoded === null ? '%!s(<nil>)' : 'uint64';
    const shown = `key: ${nodeToGoSyntax(target)}, value: ${nodeToGoSyntax(value)}`;
    this.jsonProblem ??= `Unsupported map key of type: ${type}, ${shown}`;
  }

  #merge(node: YamlNode, into: YamlMap): void {
    if (node.kind === 'sequence') {
      // The first map of the list wins, so it is written last.
      for (const item of node.items.toReversed()) this.#mergeMap(item, into);
    } else {
      this.#mergeMap(node, into);
    }
  }

  #mergeMap(node: YamlNode, into: YamlMap): void {
    const target = node.kind === 'alias' ? node.target : node;
    if (target.kind !== 'mapping') {
      throw new YamlError('map merge requires map or sequence of maps as the value');
    }
    this.#countValue();
    const merge = () => this.#nested(() => this.#decodeMapping(target, into));
    if (node.kind === 'alias') this.#decodeAlias(node, merge);
    else merge();
  }
}

function isMerge(key: ScalarNode): boolean {
  return key.value === '<<' && (key.plain || key.tag === 'tag:yaml.org,2002:merge');
}

/** A key as ghodss/yaml writes it; undefined where it cannot: null, and integers above int64's range. */
function keyToString(key: YamlValue): string | undefined {
  switch (typeof key) {
    case 'string':
      return key;
    case 'boolean':
      return String(key);
    case 'bigint':
      return key < 1n << 63n ? String(key) : undefined;
    case 'number':
      return floatKeyToString(key);
    default:
      return undefined;
  }
}

function floatKeyToString(key: number): string {
  const text = formatFloatG(shortestFloat32(key));
  if (text === '+Inf') return '.inf';
  if (text === '-Inf') return '-.inf';
  return text === 'NaN' ? '.nan' : text;
}

function allowedAliasShare(count: number): number {
  if (count <= freeValues) return 0.99;
  if (count >= strictValues) return 0.1;
  return 0.99 - (0.89 * (count - freeValues)) / (strictValues - freeValues);
}
