import { goJson, type YamlMap, type YamlValue } from '../../yaml/index.ts';

/*
 * What is shown of Secrets: what is allowed, never what is left after taking something away. A value is replaced by a text
 * that says whether it changed; neither the value nor its length or digest can be told from it.
 */

/** Both states of a value, each undefined where it is not there. */
type Pair = readonly [before: YamlValue | undefined, after: YamlValue | undefined];
type MaskKey = (key: string, inner: Pair) => Pair;

const same = '***';
const changed = ['*** (before)', '*** (after)'] as const;

/** Fields of a Secret that are shown, in Kubernetes' own spelling; any other is masked. */
const shownFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'type', 'immutable']);
const shownMetadata: ReadonlySet<string> = new Set(['name', 'namespace']);

/** Fields of references to objects of any kind. */
const ofReference: ReadonlySet<string> = new Set([
  'apiGroup',
  'apiVersion',
  'group',
  'key',
  'kind',
  'name',
  'namespace',
  'optional',
]);

/** An annotation that has the whole object once more, as JSON. */
const lastApplied = /last-applied/i;

/** A text that may hold the manifest of a Secret, as YAML or JSON, quoted or not. */
const embedded = /\bkind\b[\s\S]{0,60}?secret/i;

/** Shorter keys are words of Kubernetes more often than values. */
const minSecretKeyLength = 8;

/** Both states of an object with what is secret in it masked, wherever it is. */
export function maskPair(before: YamlMap | undefined, after: YamlMap | undefined): Pair {
  return maskValue([before, after]);
}

function maskValue(pair: Pair): Pair {
  const [before, after] = pair;
  if (before !== undefined && after !== undefined && shapeOf(before) !== shapeOf(after))
    return [maskValue([before, undefined])[0], maskValue([undefined, after])[1]];
  const shape = shapeOf(before ?? after);
  if (shape === 'list') return eachItem(pair, maskValue);
  if (shape === 'scalar') return pair.some(isEmbedded) ? maskAll(pair) : pair;
  if (pair.some(isSecretList)) return eachKey(pair, maskSecretList, keyOf);
  if (pair.some(isSecret)) return eachKey(pair, maskSecretField, keyOf);
  return eachKey(pair, (key, inner) => (lastApplied.test(key) ? maskAll(inner) : maskValue(inner)));
}

/** Other keys Kubernetes does not take: part of a value may have become one. */
function keyOf(key: string): string {
  return /^[-._/a-zA-Z0-9]{1,253}$/.test(key) ? key : same;
}

/** The entries of a list of Secrets need not say their kind. */
function maskSecretList(key: string, inner: Pair): Pair {
  if (shownFields.has(key)) return maskUnless(inner, isWord);
  if (!isOfShape(inner, 'list')) return maskAll(inner);
  return eachItem(inner, entry => maskWithin(entry, maskSecretField));
}

function maskSecretField(key: string, inner: Pair): Pair {
  if (shownFields.has(key)) return maskUnless(inner, isWord);
  return maskWithin(inner, key === 'metadata' ? maskMetadata : (_key, value) => maskAll(value));
}

function maskMetadata(key: string, inner: Pair): Pair {
  if (shownMetadata.has(key)) return maskUnless(inner, isWord);
  if (key === 'labels') return maskWithin(inner, (_name, value) => maskUnless(value, isWord));
  if (key !== 'annotations') return maskAll(inner);
  return maskWithin(inner, (name, value) =>
    lastApplied.test(name) ? maskAll(value) : maskUnless(value, isLine),
  );
}

/** What is no map where one should be is masked whole. */
function maskWithin(pair: Pair, mask: MaskKey): Pair {
  return isOfShape(pair, 'map') ? eachKey(pair, mask, keyOf) : maskAll(pair);
}

/** Shows booleans, and texts that may be shown: by a stray quote a part of a value may have become one of them. */
function maskUnless(pair: Pair, mayShow: (text: string) => boolean): Pair {
  const isShown = (value: YamlValue | undefined) =>
    value === undefined || typeof value === 'boolean' || (typeof value === 'string' && mayShow(value));
  return pair.every(isShown) ? pair : maskAll(pair);
}

/** Whether a text is short and in the letters of Kubernetes' own names, kinds, types and labels. */
export function isWord(text: string): boolean {
  return /^[-._:/a-zA-Z0-9]{0,253}$/.test(text);
}

/** Whatever holds more than a line might hold the object once more. */
function isLine(text: string): boolean {
  return text.length <= 253 && !/[{}\n]/.test(text) && !isEmbedded(text);
}

/** All that is said of a value is whether it changed. */
function maskAll([before, after]: Pair): Pair {
  if (before === undefined) return [undefined, after === undefined ? undefined : same];
  if (after === undefined) return [same, undefined];
  return textOf(before) === textOf(after) ? [same, same] : changed;
}

/** @param show what becomes of keys */
function eachKey(pair: Pair, mask: MaskKey, show = (key: string) => key): Pair {
  const [before, after] = pair as readonly [YamlMap | undefined, YamlMap | undefined];
  const sides: [YamlMap, YamlMap] = [new Map(), new Map()];
  for (const key of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
    const [old, young] = mask(key, [before?.get(key), after?.get(key)]);
    if (old !== undefined) sides[0].set(show(key), old);
    if (young !== undefined) sides[1].set(show(key), young);
  }
  return [before && sides[0], after && sides[1]];
}

function eachItem(pair: Pair, mask: (inner: Pair) => Pair): Pair {
  const [before, after] = pair as readonly [YamlValue[] | undefined, YamlValue[] | undefined];
  const length = Math.max(before?.length ?? 0, after?.length ?? 0);
  const inner = Array.from({ length }, (_, index) => mask([before?.[index], after?.[index]]));
  return [
    before?.map((_, index) => inner[index]![0] ?? null),
    after?.map((_, index) => inner[index]![1] ?? null),
  ];
}

function shapeOf(value: YamlValue | undefined): 'map' | 'list' | 'scalar' {
  return value instanceof Map ? 'map' : Array.isArray(value) ? 'list' : 'scalar';
}

function isOfShape(pair: Pair, shape: 'map' | 'list'): boolean {
  return pair.every(value => value === undefined || shapeOf(value) === shape);
}

function isEmbedded(value: YamlValue | undefined): boolean {
  return typeof value === 'string' && embedded.test(value);
}

function isSecretList(value: YamlValue | undefined): boolean {
  return kindsOf(value).some(kind => kind.endsWith('secretlist'));
}

/** A map of kind Secret, or of a kind with that in its name, that is more than a reference to one. */
function isSecret(value: YamlValue | undefined): boolean {
  if (!(value instanceof Map) || !kindsOf(value).some(kind => kind.includes('secret'))) return false;
  return ![...value].every(([key, inner]) => ofReference.has(key) && shapeOf(inner) === 'scalar');
}

/** Go reads the names of fields in any case, so that several of a map's may say its kind. */
function kindsOf(value: YamlValue | undefined): string[] {
  if (!(value instanceof Map)) return [];
  return [...value]
    .filter(([key]) => lettersOf(key) === 'kind')
    .map(([, kind]) => (typeof kind === 'string' ? lettersOf(kind) : ''));
}

/** So that a mistake in a word does not show what is secret. */
function lettersOf(word: string): string {
  return word.toLowerCase().replace(/[^a-z]/g, '');
}

/** Equal for equal values, whatever the order of keys. */
function textOf(value: YamlValue): string {
  try {
    return goJson(value);
  } catch {
    return `${Math.random()}`; // infinities, which JSON has not: they count as changed
  }
}

/** The values in the Secrets of a document: by an anchor they may stand in other objects of it. */
export class KnownSecrets {
  readonly #texts = new Set<string>();

  /** Takes the values of all Secrets in a document. */
  add(value: YamlValue): void {
    if (Array.isArray(value)) for (const item of value) this.add(item);
    if (!(value instanceof Map)) return;
    if (isSecretList(value)) for (const item of value.values()) this.#addEntries(item);
    else if (isSecret(value)) this.#addSecret(value);
    else for (const item of value.values()) this.add(item);
  }

  #addEntries(items: YamlValue): void {
    if (Array.isArray(items)) for (const item of items) if (item instanceof Map) this.#addSecret(item);
  }

  #addSecret(secret: YamlMap): void {
    for (const [key, value] of secret)
      if (!shownFields.has(key) && key !== 'metadata') this.#addLeaves(value);
  }

  #addLeaves(value: YamlValue): void {
    if (value instanceof Map) for (const item of value.values()) this.#addLeaves(item);
    else if (Array.isArray(value)) for (const item of value) this.#addLeaves(item);
    else if (value !== null && value !== '' && typeof value !== 'boolean') {
      this.#texts.add(String(value));
      const decoded = typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '';
      if (decoded !== '') this.#texts.add(decoded);
    }
  }

  /** A value without those that are known, but for the names by which Kubernetes knows the object. */
  mask(value: YamlValue, path = ''): YamlValue {
    if (this.#texts.size === 0) return value;
    if (Array.isArray(value)) return value.map(item => this.mask(item, `${path}.`));
    if (value instanceof Map) {
      return new Map(
        [...value].map(([key, item]) => {
          const isKnown = key.length >= minSecretKeyLength && this.#texts.has(key);
          return [isKnown ? same : keyOf(key), this.mask(item, `${path}.${key}`)];
        }),
      );
    }
    if (/^\.(?:apiVersion|kind|metadata\.(?:name|namespace))$/.test(path)) return value;
    return value !== null && this.#texts.has(String(value)) ? same : value;
  }
}
