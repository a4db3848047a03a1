import { defineMappingTag, defineScalarTag, defineSequenceTag, NOT_RESOLVED, Schema, strTag } from 'js-yaml';
import { formatFloatG, shortestFloat32, type YamlMap, type YamlValue } from './go-json.ts';
import { resolvePlain, resolveTagged } from './resolve-scalar.ts';

/** A plain `<<`, which merges where it is a key and is a text everywhere else. */
const mergeKey = Symbol('<<');

type Resolved = YamlValue | typeof mergeKey;

/** What any tag but `!!str` makes of a scalar; of an unknown one yaml.v2 takes the text. */
const taggedScalar = defineScalarTag<Resolved>('', {
  matchByTagPrefix: true,
  resolve(text, _isExplicit, tag) {
    if (tag === 'tag:yaml.org,2002:merge' && text === '<<') return mergeKey;
    const value = resolveTagged(text, tag);
    return value === undefined ? NOT_RESOLVED : value;
  },
  identify: () => false,
});

const plainScalar = defineScalarTag<Resolved>('tag:yaml.org,2002:plain', {
  implicit: true,
  implicitFirstChars: ['', ...'~.+-<0123456789yYnNtTfFoO'],
  resolve(text) {
    if (text === '<<') return mergeKey;
    const { tag, value } = resolvePlain(text);
    return tag === '!!str' ? NOT_RESOLVED : value;
  },
  identify: () => false,
});

/** yaml.v2 looks at no tag of a list. That there is a `finalize` makes js-yaml refuse lists that contain themselves. */
const list = defineSequenceTag<YamlValue[]>('', {
  matchByTagPrefix: true,
  create: () => [],
  addItem(items, item) {
    items.push(asValue(item as Resolved));
    return problemOf(item);
  },
  finalize: items => items,
  identify: () => false,
});

/**
 * The types of YAML 1.1 as yaml.v2 decodes them, with keys turned into strings as ghodss/yaml does. Of a key given twice
 * the last counts; a merge (`<<`) counts where it stands. At most `maxMerged` keys are merged by one schema.
 */
export function createGoSchema(maxMerged: number): Schema {
  let merged = 0;
  const merge = (into: YamlMap, source: unknown): string => {
    // the first map of a list wins, so it is written last
    for (const map of Array.isArray(source) ? source.toReversed() : [source]) {
      if (!(map instanceof Map)) return 'map merge requires map or sequence of maps as the value';
      merged += map.size + 1;
      if (merged > maxMerged) return `document has more than ${maxMerged} values`;
      for (const [key, value] of map) into.set(key, value);
    }
    return '';
  };
  const map = defineMappingTag<YamlMap>('', {
    matchByTagPrefix: true,
    create: () => new Map(),
    addPair(into, key, value) {
      if (key === mergeKey) return merge(into, value);
      const text = typeof key === 'string' ? key : keyToString(key);
      if (text === undefined) return keyProblem(key);
      into.set(text, asValue(value as Resolved));
      return problemOf(value);
    },
    has: () => false,
    keys: value => value.keys(),
    get: (value, key) => value.get(key as string),
    finalize: value => value,
    identify: () => false,
  });
  return new Schema([strTag, taggedScalar, plainScalar, list, map]);
}

/** What js-yaml gives for a whole document. */
export function asValue(value: Resolved | undefined): YamlValue {
  return value === mergeKey ? '<<' : (value ?? null);
}

/** Why JSON cannot hold a value; empty where it can. */
export function problemOf(value: unknown): string {
  if (typeof value !== 'number' || Number.isFinite(value)) return '';
  return `json: unsupported value: ${formatFloatG(value)}`;
}

/** A key as ghodss/yaml writes it; undefined where it cannot: null, lists, maps and integers above int64's range. */
function keyToString(key: unknown): string | undefined {
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint') return key < 1n << 63n ? String(key) : undefined;
  if (typeof key !== 'number') return undefined;
  const text = formatFloatG(shortestFloat32(key));
  return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[text] ?? text;
}

function keyProblem(key: unknown): string {
  if (key instanceof Map) return 'invalid map key: a map cannot be one';
  if (Array.isArray(key)) return 'invalid map key: a list cannot be one';
  return `unsupported map key: ${key === null ? 'null' : 'an integer above 2^63-1'}`;
}
