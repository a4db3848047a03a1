import { HelmRenderError } from '../chart/helm-render-error.ts';
import { formatFloatE, formatFloatF } from './go-float.ts';
import type { YamlValue } from './node.ts';
import { compareUtf8 } from './order.ts';

/** Characters that encoding/json escapes: it keeps its output safe inside HTML and JavaScript. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON escapes
const special = /["\\\u0000-\u001f<>&\u2028\u2029]/g;

/**
 * A value as Go's json.Marshal writes it: keys in byte order, `<`, `>`, `&` escaped, floats with an exponent below 1e-6
 * and from 1e21 on. With `indent` as json.MarshalIndent with an empty prefix does.
 * Throws HelmRenderError on NaN and infinities. Depth is not bounded: give it values that parseYaml bounded.
 */
export function goJson(value: YamlValue, indent = ''): string {
  const parts: string[] = [];
  write(value, indent === '' ? '' : '\n', indent, parts);
  return parts.join('');
}

/** A string in JSON; lone surrogates become U+FFFD, as invalid UTF-8 does in Go. */
function quoteGoJson(text: string): string {
  return `"${text.toWellFormed().replace(special, escapeJson)}"`;
}

/** A float in JSON: format 'f' or 'e' of the shortest digits, the exponent without a zero in front. */
function formatJsonFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return formatFloatE(value).replace(/e-0(\d)$/, 'e-$1');
  return formatFloatF(value);
}

function escapeJson(char: string): string {
  switch (char) {
    case '"':
      return '\\"';
    case '\\':
      return '\\\\';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  }
}

function write(value: YamlValue, newline: string, indent: string, parts: string[]): void {
  if (typeof value === 'string') parts.push(quoteGoJson(value));
  else if (typeof value === 'number') parts.push(finiteFloat(value));
  else if (Array.isArray(value)) writeList(value, newline, indent, parts);
  else if (value instanceof Map) writeMap(value, newline, indent, parts);
  else parts.push(String(value));
}

function finiteFloat(value: number): string {
  if (!Number.isFinite(value)) throw new HelmRenderError(`json: unsupported value: ${formatFloatF(value)}`);
  return formatJsonFloat(value);
}

function writeList(list: readonly YamlValue[], newline: string, indent: string, parts: string[]): void {
  if (list.length === 0) {
    parts.push('[]');
    return;
  }
  const inner = newline + indent;
  let before = `[${inner}`;
  for (const item of list) {
    parts.push(before);
    write(item, inner, indent, parts);
    before = `,${inner}`;
  }
  parts.push(`${newline}]`);
}

function writeMap(
  map: ReadonlyMap<string, YamlValue>,
  newline: string,
  indent: string,
  parts: string[],
): void {
  if (map.size === 0) {
    parts.push('{}');
    return;
  }
  const inner = newline + indent;
  const colon = indent === '' ? ':' : ': ';
  let before = `{${inner}`;
  for (const key of [...map.keys()].sort(compareUtf8)) {
    parts.push(before, quoteGoJson(key), colon);
    write(map.get(key)!, inner, indent, parts);
    before = `,${inner}`;
  }
  parts.push(`${newline}}`);
}
