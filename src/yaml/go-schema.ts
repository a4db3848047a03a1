import { defineMappingTag, defineScalarTag, defineSequenceTag, NOT_RESOLVED, Schema, strTag } from 'js-yaml';
import { formatFloatG, formatYamlFloat, shortestFloat32, type YamlMap, type YamlValue } from './go-json.ts';

/** YAML's own tags for scalars, in the short form in which yaml.v2's errors name them. */
export type ScalarTag = '!!str' | '!!bool' | '!!int' | '!!float' | '!!null' | '!!timestamp';

export interface ResolvedScalar {
  readonly tag: ScalarTag;
  readonly value: null | boolean | bigint | number | string;
}

const timestamp =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+](\d\d):(\d\d))| +(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?)?$/;

const words = new Map<string, ResolvedScalar>();
for (const [tag, value, spellings] of [
  ['!!bool', true, 'y Y yes Yes YES true True TRUE on On ON'],
  ['!!bool', false, 'n N no No NO false False FALSE off Off OFF'],
  ['!!null', null, '~ null Null NULL'],
  ['!!float', Number.NaN, '.nan .NaN .NAN'],
  ['!!float', Number.POSITIVE_INFINITY, '.inf .Inf .INF +.inf +.Inf +.INF'],
  ['!!float', Number.NEGATIVE_INFINITY, '-.inf -.Inf -.INF'],
] as const) {
  for (const spelling of spellings.split(' ')) words.set(spelling, { tag, value });
}
words.set('', { tag: '!!null', value: null });

/**
 * The value of an untagged plain scalar by yaml.v2's rules: YAML 1.1's booleans, integers as Go's ParseInt reads them
 * with base 0 (`0x1f`, `017`, `0o17`, `0b11`, `1_000`), floats, and no numbers in base 60.
 */
export function resolvePlain(text: string): ResolvedScalar {
  const c = text.charCodeAt(0);
  // Of other first letters only those of the words can be anything but a string; `.5` is a float.
  const word = words.get(text);
  if (word !== undefined) return word;
  if (c === 0x2e) return resolveDotted(text);
  if ((c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d) return resolveNumber(text);
  return { tag: '!!str', value: text };
}

const longPrefix = 'tag:yaml.org,2002:';

/** The value of a scalar with an explicit tag, in its long form; undefined where the text does not fit the tag. */
export function resolveTagged(text: string, tag: string): ResolvedScalar['value'] | undefined {
  const name = tag.startsWith(longPrefix) ? tag.slice(longPrefix.length) : '';
  if (name === 'binary') return decodeBinary(text);
  if (!['bool', 'int', 'float', 'null', 'timestamp'].includes(name)) return text;
  const resolved = resolvePlain(text);
  if (resolved.tag === `!!${name}`) return resolved.value;
  const isWhole = name === 'float' && resolved.tag === '!!int' && fitsInt64(resolved.value as bigint);
  return isWhole ? Number(resolved.value) : undefined;
}

/** yaml.v2 gives the bytes as a string; what is no UTF-8 becomes U+FFFD when the value is written as JSON. */
function decodeBinary(text: string): string | undefined {
  const compact = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64').toString('utf8');
}

function resolveDotted(text: string): ResolvedScalar {
  // Here, unlike below, underscores stand only between digits: Go's ParseFloat reads the text as it is.
  if (/^\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?$/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    if (Number.isFinite(value)) return { tag: '!!float', value };
  }
  return { tag: '!!str', value: text };
}

function resolveNumber(text: string): ResolvedScalar {
  if (isYamlTimestamp(text)) return { tag: '!!timestamp', value: text };
  const digits = text.replaceAll('_', '');
  const integer = parseGoInteger(digits);
  if (integer !== undefined) return { tag: '!!int', value: integer };
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(digits)) {
    const value = Number(digits);
    if (Number.isFinite(value)) return { tag: '!!float', value };
  }
  return { tag: '!!str', value: text };
}

/** As strconv.ParseInt and then ParseUint with base 0: 64 bits, and no sign above 2^63-1. */
function parseGoInteger(text: string): bigint | undefined {
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ''] = match;
  // 2^64 has 20 decimal, 16 hexadecimal, 22 octal and 64 binary digits: more (but for zeros in front) do not fit.
  if (text.length > 128 && (!digits.startsWith('0') || /[1-9a-fA-F]/.test(text.slice(3, -64))))
    return undefined;
  const magnitude = BigInt(digits.replace(/^0(?=[0-7])/, '0o'));
  const value = sign === '-' ? -magnitude : magnitude;
  if (fitsInt64(value)) return value;
  return sign === '' && value >= 0n && value < 1n << 64n ? value : undefined;
}

function fitsInt64(value: bigint): boolean {
  return value >= -(1n << 63n) && value < 1n << 63n;
}

/**
 * Whether yaml.v2 takes a plain scalar for a timestamp: a date alone, a date and time with a zone, or one without a zone
 * behind a space; and a moment that exists. Such a value is still a string, but a string of this form is written in
 * quotes.
 */
function isYamlTimestamp(text: string): boolean {
  if (text.length < 8 || text.charCodeAt(4) !== 0x2d) return false;
  const match = timestamp.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0] = match.slice(1, 4).map(Number);
  const hour = Number(match[4] ?? match[9] ?? 0);
  const minute = Number(match[5] ?? match[10] ?? 0);
  const second = Number(match[6] ?? match[11] ?? 0);
  const zoneHour = Number(match[7] ?? 0);
  const zoneMinute = Number(match[8] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  return hour < 24 && minute < 60 && second < 60 && zoneHour <= 24 && zoneMinute < 60;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

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
  return typeof key === 'number' ? formatYamlFloat(shortestFloat32(key)) : undefined;
}

function keyProblem(key: unknown): string {
  if (key instanceof Map) return 'invalid map key: a map cannot be one';
  if (Array.isArray(key)) return 'invalid map key: a list cannot be one';
  return `unsupported map key: ${key === null ? 'null' : 'an integer above 2^63-1'}`;
}
