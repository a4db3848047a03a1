import { limits } from '../../codec/index.ts';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import {
  formatFloatG,
  parseYaml,
  shortestFloat32,
  type YamlBounds,
  type YamlMap,
  type YamlValue,
} from '../../yaml/index.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of bytes that must be UTF-8, byte order mark included; undefined when they are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Text of a chart's file.
 * @throws GatewayError INVALID_ARGUMENT when it is not UTF-8, which no text in a message to Tiller may be
 */
export function decodeText(data: Uint8Array, where: string): string {
  const text = decodeUtf8(data);
  if (text === undefined) throw invalidArgument(`${where} is not UTF-8`);
  return text;
}

/** What one YAML text of a chart or a request may be: as many values as a request may have in all, far above real ones. */
export const textBounds = { maxLength: 8 * 1024 * 1024, maxNodes: limits.maxNodes };

/** Whether a YAML text may have anchors, by which a few bytes make any number of values. */
export function mayExpand(text: Uint8Array): boolean {
  return text.includes(0x26) && /(?:^|[\s,[{:?-])&[\w-]/.test(Buffer.from(text).toString('latin1'));
}

/**
 * A YAML map; an empty text or null is an empty one.
 * @param source text, or the bytes of a file, which must be UTF-8
 * @throws GatewayError INVALID_ARGUMENT, with `where` in front, when the text is something else
 */
export function readYamlMap(
  source: string | Uint8Array,
  where: string,
  bounds: Partial<YamlBounds> = textBounds,
): YamlMap {
  const text = typeof source === 'string' ? source : decodeText(source, where);
  let value: YamlValue;
  try {
    value = parseYaml(text, bounds) ?? new Map();
  } catch (error) {
    throw withSource(error, where);
  }
  if (value instanceof Map) return value;
  throw invalidArgument(`${where}: must be a map`);
}

/** Puts a source's name before the message of a GatewayError that does not begin with it; other errors stay as they are. */
export function withSource(error: unknown, name: string): unknown {
  if (!(error instanceof GatewayError) || error.message.startsWith(name)) return error;
  const { code, message, reason } = error;
  return new GatewayError(code, `${name}: ${message}`, { cause: error, reason });
}

/** Does work whose errors are about a source. @throws as `withSource` */
export async function inSource<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withSource(error, name);
  }
}

/*
 * Chart.yaml and requirements.yaml as ghodss/yaml puts them into Go structs: names of fields match in any case, numbers and
 * booleans become text where text is wanted, null leaves a field empty, unknown fields are dropped.
 */

/** Reads one field's value; `where` names it in errors. Undefined leaves the field out. */
export type FieldReader = (value: YamlValue, where: string) => unknown;

/** Text; numbers and booleans are written out. */
export function readText(value: YamlValue, where: string): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      // ghodss/yaml formats floats as 32-bit ones
      return formatFloatG(shortestFloat32(value));
  }
  if (value === null) return undefined;
  throw invalidArgument(`${where} must be text`);
}

export function readBoolean(value: YamlValue, where: string): boolean | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'boolean') throw invalidArgument(`${where} must be true or false`);
  return value;
}

export function readList<T>(readItem: (value: YamlValue, where: string) => T) {
  return (value: YamlValue, where: string): T[] | undefined => {
    if (value === null) return undefined;
    if (!Array.isArray(value)) throw invalidArgument(`${where} must be a list`);
    return value.map((item, index) => readItem(item, `${where}[${index}]`));
  };
}

/** A list of text; null stands for empty text. */
export const readTexts = readList((value, where) => readText(value, where) ?? '');

export function readTextMap(value: YamlValue, where: string): Record<string, string> | undefined {
  if (value === null) return undefined;
  if (!(value instanceof Map)) throw invalidArgument(`${where} must be a map`);
  const entries = [...value].map(([key, item]) => [key, readText(item, `${where}.${key}`) ?? ''] as const);
  // a null prototype, so that no key means anything but itself
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/** Fields that are all text. */
export function textFields<Name extends string>(...names: Name[]): Record<Name, typeof readText> {
  return Object.fromEntries(names.map(name => [name, readText])) as Record<Name, typeof readText>;
}

/** What `readFields` gives: the fields that are there and not null. */
export type Fields<F extends Readonly<Record<string, FieldReader>>> = {
  readonly [Name in keyof F]?: NonNullable<ReturnType<F[Name]>>;
};

/**
 * The fields of a struct. Where two keys differ in case alone, the later in byte order wins, as it does in Go, which
 * goes through sorted JSON.
 * @throws GatewayError INVALID_ARGUMENT when the value is no map, or a field has the wrong type
 */
export function readFields<F extends Readonly<Record<string, FieldReader>>>(
  map: YamlValue,
  fields: F,
  where: string,
): Fields<F> {
  if (!(map instanceof Map)) throw invalidArgument(`${where} must be a map`);
  const names = new Map(Object.keys(fields).map(name => [name.toLowerCase(), name]));
  const result: Record<string, unknown> = {};
  for (const key of [...map.keys()].sort()) {
    const name = names.get(key.toLowerCase());
    const read = name === undefined ? undefined : fields[name];
    if (name === undefined || read === undefined) continue;
    const value = read(map.get(key) ?? null, `${where}: ${key}`);
    if (value !== undefined) result[name] = value;
  }
  return result as Fields<F>;
}
