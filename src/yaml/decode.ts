import { formatFloatG, shortestFloat32 } from './go-float.ts';
import type { YamlMap, YamlValue } from './go-json.ts';
import type { AliasNode, MappingNode, ScalarNode, YamlNode } from './parse-tree.ts';
import { scalarValue } from './resolve-scalar.ts';
import { lineAt, YamlError } from './yaml-error.ts';

/** yaml.v2's guard against alias bombs: the share of values that may come from aliases falls with their number. */
const freeValues = 400_000;
const strictValues = 4_000_000;

/**
 * Turns a document into a value as yaml.v2 does, with its keys turned into strings as ghodss/yaml does. Of a key given
 * twice the last counts; a merge (`<<`) counts where it stands. Throws YamlError, also for what JSON cannot hold.
 */
export function decodeDocument(
  document: YamlNode,
  text: string,
  bounds: { readonly maxDepth: number; readonly maxNodes: number },
): YamlValue {
  return new Decoder(text, bounds).decode(document);
}

class Decoder {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #maxNodes: number;
  readonly #open = new Set<YamlNode>();
  #count = 0;
  #fromAliases = 0;
  #aliasDepth = 0;
  #depth = 0;

  constructor(text: string, bounds: { readonly maxDepth: number; readonly maxNodes: number }) {
    this.#text = text;
    this.#maxDepth = bounds.maxDepth;
    this.#maxNodes = bounds.maxNodes;
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

  #error(problem: string, node: YamlNode): YamlError {
    return new YamlError(problem, node.offset < 0 ? undefined : lineAt(this.#text, node.offset));
  }

  #decodeScalar(node: ScalarNode): YamlValue {
    const value = this.#valueOf(node);
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw this.#error(`json: unsupported value: ${formatFloatG(value)}`, node);
    }
    return value;
  }

  #valueOf(node: ScalarNode): ReturnType<typeof scalarValue> {
    try {
      return scalarValue(node);
    } catch (error) {
      throw error instanceof YamlError ? this.#error(error.message, node) : error;
    }
  }

  #countValue(): void {
    this.#count++;
    if (this.#aliasDepth > 0) this.#fromAliases++;
    const share = this.#fromAliases / this.#count;
    if (this.#fromAliases > 100 && this.#count > 1000 && share > allowedAliasShare(this.#count)) {
      throw new YamlError('document contains excessive aliasing');
    }
    if (this.#count > this.#maxNodes) throw new YamlError(`document has more than ${this.#maxNodes} values`);
  }

  #nested<T>(decode: () => T): T {
    // Aliases can nest deeper than the text does.
    if (++this.#depth > this.#maxDepth) throw new YamlError(`exceeded max depth of ${this.#maxDepth}`);
    const value = decode();
    this.#depth--;
    return value;
  }

  #decodeAlias<T>(node: AliasNode, decode: () => T): T {
    if (this.#open.has(node.target)) throw this.#error(`anchor '${node.name}' value contains itself`, node);
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
      throw this.#error(
        `invalid map key: a ${target.kind === 'mapping' ? 'map' : 'list'} cannot be one`,
        key,
      );
    }
    this.#countValue();
    const decoded = this.#valueOf(target);
    const text = keyToString(decoded);
    if (text === undefined) {
      throw this.#error(`unsupported map key: ${decoded === null ? 'null' : 'an integer above 2^63-1'}`, key);
    }
    into.set(text, this.decode(value));
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
      throw this.#error('map merge requires map or sequence of maps as the value', node);
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
function keyToString(key: ReturnType<typeof scalarValue>): string | undefined {
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
