import { createTwoFilesPatch } from 'diff';
import { decodeMessage, encodeMessage, type Release } from '../../codec/index.ts';
import { type CallContext, inThread } from '../../protocol/index.ts';
import { writeYaml, type YamlMap, type YamlValue } from '../../yaml/index.ts';
import { isWord, maskPair } from './mask-secrets.ts';
import { type ManifestDocument, type Rendered, readDocuments } from './read-documents.ts';

/** As in `appscode.swift.v2.ObjectDiff`. */
export interface ObjectDiff {
  readonly change: 'UNCHANGED' | 'ADDED' | 'REMOVED' | 'CHANGED';
  readonly api_version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly hook: boolean;
  readonly diff?: string;
  readonly lines_added?: number;
  readonly lines_removed?: number;
  readonly diff_left_out?: boolean;
}

export interface CompareOptions {
  /** Shows everything as it is. */
  readonly showSecrets: boolean;
  /** How both sides are called in the text. */
  readonly titles: readonly [before: string, after: string];
}

/** Bounds on the text of all changes together, and on the time for it. */
const maxTextLength = 4 * 1024 * 1024;
const maxTotalMs = 5_000;
/** Bounds on one object: Myers' algorithm takes the square of the number of lines that differ. */
const maxObjectMs = 1_000;
const maxEditLength = 4_000;
const contextLines = 3;

/** What an object is known by; another document of the same is the second. */
type Identity = Pick<ObjectDiff, 'api_version' | 'kind' | 'namespace' | 'name' | 'hook'>;

interface Comparison {
  /** `hapi.release.Release`; undefined for nothing. */
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
  readonly showSecrets: boolean;
}

/**
 * Bytes up to which revisions are compared right where they are asked for. Lines that all differ take more time than their
 * bytes take to be translated, so that it is less than there.
 */
const maxHereBytes = 16 * 1024;

/** Compares here, or in a thread: that loads this module and what it imports, not all of the room. */
export function compare(
  comparison: Comparison,
  { signal, hold }: CallContext,
): Uint8Array | Promise<Uint8Array> {
  const bytes = (comparison.before?.length ?? 0) + comparison.after.length;
  if (bytes <= maxHereBytes) return writeComparison(comparison);
  return compareInThread({ what: 'the comparison', bytes, signal, hold }, comparison);
}

/** A DiffRevisionsResponse, which a DiffReleaseResponse equals. May run in a thread. */
export function writeComparison({ before, after, showSecrets }: Comparison): Uint8Array {
  const old = before && decodeMessage('hapi.release.Release', before);
  const young = decodeMessage('hapi.release.Release', after);
  const from = old?.version ?? 0;
  const { name, namespace, version: to } = young;
  const titles = [from === 0 ? 'nothing' : `revision ${from}`, `revision ${to}`] as const;
  const objects = compareRevisions(old && renderedOf(old), renderedOf(young), { showSecrets, titles });
  const count = (change: string) => objects.filter(object => object.change === change).length;
  return encodeMessage('appscode.swift.v2.DiffRevisionsResponse', {
    name,
    namespace,
    from,
    to,
    added: count('ADDED'),
    removed: count('REMOVED'),
    changed: count('CHANGED'),
    unchanged: count('UNCHANGED'),
    objects,
  });
}

const compareInThread = inThread(import.meta.url, writeComparison);

function renderedOf({ manifest, hooks }: Release): Rendered {
  return { manifest, hooks: hooks.map(hook => hook.manifest) };
}

/**
 * Compares what two revisions render to, object by object. The data of Secrets is masked, and so is a document that
 * cannot be read: all that is said of it is whether it changed.
 * @param before undefined for nothing
 */
export function compareRevisions(
  before: Rendered | undefined,
  after: Rendered,
  options: CompareOptions,
): ObjectDiff[] {
  const old = byIdentity(before ? readDocuments(before) : []);
  const young = byIdentity(readDocuments(after));
  const texts = new UnifiedTexts(options.titles);
  const diffs = [...new Set([...old.keys(), ...young.keys()])].map(key => {
    const [one, other] = [old.get(key), young.get(key)];
    const identity = identityOf((other ?? one)!);
    const change = changeOf(one, other);
    if (change === 'UNCHANGED') return { change, ...identity };
    return { change, ...identity, ...texts.write(identity, ...shown(one, other, options.showSecrets)) };
  });
  return diffs.sort((a, b) => Number(a.change === 'UNCHANGED') - Number(b.change === 'UNCHANGED'));
}

function changeOf(
  before: ManifestDocument | undefined,
  after: ManifestDocument | undefined,
): ObjectDiff['change'] {
  if (!before) return 'ADDED';
  if (!after) return 'REMOVED';
  if (before.text === after.text && before.object === undefined) return 'UNCHANGED';
  const [one, other] = [before, after].map(({ object }) => object && yamlOf(object));
  return one !== undefined && one === other ? 'UNCHANGED' : 'CHANGED';
}

/** Both documents as they may be shown. */
function shown(
  before: ManifestDocument | undefined,
  after: ManifestDocument | undefined,
  showSecrets: boolean,
): readonly [string, string] {
  const documents = [before, after] as const;
  if (documents.some(document => document && document.object === undefined)) {
    const hidden = ['a document that cannot be read (before)\n', 'a document that cannot be read (after)\n'];
    const [one = '', other = ''] = documents.map((document, side) =>
      document ? (showSecrets ? document.text : hidden[side]) : '',
    );
    return [one, other];
  }
  const objects = documents.map(document => document?.object) as [YamlMap?, YamlMap?];
  const [one, other] = showSecrets ? objects : masked(documents, objects);
  return [one === undefined ? '' : yamlOf(one), other === undefined ? '' : yamlOf(other)];
}

function masked(
  [before, after]: readonly [ManifestDocument | undefined, ManifestDocument | undefined],
  [old, young]: readonly [YamlMap?, YamlMap?],
): readonly [YamlValue | undefined, YamlValue | undefined] {
  const [one, other] = maskPair(old, young);
  const mask = (value: YamlValue | undefined) => {
    if (value === undefined) return undefined;
    const inBefore = before ? before.secrets.mask(value) : value;
    return after ? after.secrets.mask(inBefore) : inBefore;
  };
  return [mask(one), mask(other)];
}

/** In the order of keys; a value that YAML cannot hold is not shown. */
function yamlOf(value: YamlValue): string {
  try {
    return writeYaml(value);
  } catch {
    return 'an object that cannot be written as YAML\n';
  }
}

function byIdentity(documents: readonly ManifestDocument[]): Map<string, ManifestDocument> {
  const byKey = new Map<string, ManifestDocument>();
  const counts = new Map<string, number>();
  for (const document of documents) {
    const identity = JSON.stringify(identityOf(document));
    const count = counts.get(identity) ?? 0;
    counts.set(identity, count + 1);
    byKey.set(`${identity} ${count}`, document);
  }
  return byKey;
}

function identityOf({ object, isHook }: ManifestDocument): Identity {
  const metadata = object?.get('metadata');
  // what Kubernetes would not take could be part of something else that was damaged
  const of = (value: YamlValue | undefined) => (typeof value === 'string' && isWord(value) ? value : '');
  const inMetadata = (key: string) => (metadata instanceof Map ? of(metadata.get(key)) : '');
  return {
    api_version: of(object?.get('apiVersion')),
    kind: of(object?.get('kind')),
    namespace: inMetadata('namespace'),
    name: inMetadata('name'),
    hook: isHook,
  };
}

/** Writes changes as unified texts, within bounds of all of them together. */
class UnifiedTexts {
  readonly #titles: CompareOptions['titles'];
  readonly #end = performance.now() + maxTotalMs;
  #length = 0;

  constructor(titles: CompareOptions['titles']) {
    this.#titles = titles;
  }

  write(identity: Identity, before: string, after: string): Partial<ObjectDiff> {
    const timeout = Math.min(maxObjectMs, this.#end - performance.now());
    const isTooMuch = timeout <= 0 || this.#length + before.length + after.length > maxTextLength;
    const name = titleOf(identity);
    const text = isTooMuch
      ? undefined
      : createTwoFilesPatch(name, name, before, after, ...this.#titles, {
          context: contextLines,
          maxEditLength,
          timeout,
        });
    if (text === undefined) return { diff_left_out: true };
    const lines = text.slice(text.indexOf('--- ')).split('\n');
    const diff = lines.join('\n');
    this.#length += diff.length;
    const body = lines.slice(2);
    const count = (mark: string) => body.filter(line => line.startsWith(mark)).length;
    return { diff, lines_added: count('+'), lines_removed: count('-') };
  }
}

function titleOf({ kind, namespace, name, hook }: Identity): string {
  const place = namespace === '' ? name : `${namespace}/${name}`;
  return `${kind || 'unreadable'} ${place}${hook ? ' (hook)' : ''}`.trim();
}
