import { limitExceeded } from '../../protocol/index.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../../yaml/index.ts';
import { KnownSecrets } from './mask-secrets.ts';

/** One object of a manifest, or what stands where one should. */
export interface ManifestDocument {
  readonly isHook: boolean;
  /** As it was rendered. */
  readonly text: string;
  /** Undefined where the text is no object with a kind. */
  readonly object: YamlMap | undefined;
  /** The values of all Secrets in the text. */
  readonly secrets: KnownSecrets;
}

/** What of a revision is compared. */
export interface Rendered {
  readonly manifest: string;
  readonly hooks: readonly string[];
}

/** A document between markers; `---` inside a line, or before a word, is none. */
const marker = /(?:^|\n)---(?=[ \t\r\n]|$)/;

/** A larger document is not read: Kubernetes takes none of more than 1.5 MiB. */
const bounds = { maxLength: 2 * 1024 * 1024, maxNodes: 200_000 };
/** Documents of one revision. A release of Helm has dozens, a large one hundreds. */
const maxDocuments = 10_000;
/** What is read of one revision; documents behind it count as unreadable. */
const maxReadLength = 8 * 1024 * 1024;

/**
 * The documents of a manifest and of hooks; lists are taken apart. A document that cannot be read is there without an
 * object, one of comments alone is not there.
 * @throws GatewayError RESOURCE_EXHAUSTED for too many
 */
export function readDocuments({ manifest, hooks }: Rendered): ManifestDocument[] {
  let length = 0;
  const read = (text: string, isHook: boolean): ManifestDocument[] => {
    length += text.length;
    const secrets = new KnownSecrets();
    const objects = length > maxReadLength ? [undefined] : readText(text, secrets);
    return objects.map(object => ({ isHook, text, object, secrets }));
  };
  const texts = manifest.split(marker, maxDocuments + 1);
  const hookTexts = hooks.slice(0, maxDocuments).flatMap(hook => hook.split(marker, maxDocuments + 1));
  if (texts.length + hookTexts.length > maxDocuments)
    throw limitExceeded(`a revision has more than ${maxDocuments} documents, which are not compared`);
  return [...texts.flatMap(text => read(text, false)), ...hookTexts.flatMap(text => read(text, true))];
}

function readText(text: string, secrets: KnownSecrets): (YamlMap | undefined)[] {
  if (isBlank(text)) return [];
  try {
    const value = parseYaml(text, bounds);
    if (!(value instanceof Map)) return [undefined];
    secrets.add(value);
    const items = value.get('kind') === 'List' ? value.get('items') : undefined;
    const objects = Array.isArray(items) ? items : [value];
    // beside an entry that cannot be read, another might show what is secret in that
    return objects.every(isObject) ? objects : [undefined];
  } catch {
    return [undefined];
  }
}

function isObject(value: YamlValue): value is YamlMap {
  return value instanceof Map && kindPattern.test(textOf(value.get('kind')));
}

/** Nothing but a text is one. */
function textOf(value: YamlValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

const kindPattern = /^[A-Za-z][A-Za-z0-9]{0,62}$/;

/** Whether there is nothing but comments. */
function isBlank(text: string): boolean {
  return text.split(/[\n\r\u0085\u2028\u2029]/).every(line => /^\s*(?:#|$)/.test(line));
}
