import { formatFloatG } from './go-float.ts';
import type { YamlMap, YamlValue } from './go-json.ts';
import { sortKeys } from './key-order.ts';
import { resolvePlain } from './resolve-scalar.ts';
import { escapeChar, isEscaped, styleOf } from './scalar-style.ts';

/** Lines are folded at the first space behind this column. */
const bestWidth = 80;
/** A longer key, in bytes, is written behind `? `. */
const maxSimpleKeyBytes = 128;

/** Where a scalar is written. */
interface Place {
  /** The column of its first character. */
  readonly column: number;
  /** The indentation of its further lines. */
  readonly indent: number;
  /** A key that is written in front of its colon, on one line. */
  readonly isKey: boolean;
}

/** Writes a value as yaml.v2's Marshal does, in block style with two spaces for each level. */
export function emitYaml(value: YamlValue): string {
  const text = isNested(value) ? collection(value, 0) : scalar(value, { column: 0, indent: 2, isKey: false });
  return `${text}\n`;
}

function isNested(value: YamlValue): value is YamlValue[] | YamlMap {
  return Array.isArray(value) ? value.length > 0 : value instanceof Map && value.size > 0;
}

/** The lines of a list or map that is not empty; the first begins where it is put, the others at column `indent`. */
function collection(value: YamlValue[] | YamlMap, indent: number): string {
  const lines = Array.isArray(value)
    ? value.map(item => `- ${inline(item, indent + 2)}`)
    : sortKeys(value.keys()).map(key => entry(key, value.get(key)!, indent));
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** A value that begins on the line of its indicator. */
function inline(value: YamlValue, indent: number): string {
  return isNested(value)
    ? collection(value, indent)
    : scalar(value, { column: indent, indent, isKey: false });
}

function entry(key: string, value: YamlValue, indent: number): string {
  if (/[\n\r\u0085\u2028\u2029]/.test(key) || Buffer.byteLength(key) > maxSimpleKeyBytes) {
    return `? ${inline(key, indent + 2)}\n${' '.repeat(indent)}: ${inline(value, indent + 2)}`;
  }
  const name = `${scalar(key, { column: indent, indent, isKey: true })}:`;
  if (isNested(value)) {
    // a list behind a key is not indented
    const inner = Array.isArray(value) ? indent : indent + 2;
    return `${name}\n${' '.repeat(inner)}${collection(value, inner)}`;
  }
  const column = indent + Array.from(name).length + 1;
  return `${name} ${scalar(value, { column, indent: indent + 2, isKey: false })}`;
}

function scalar(value: YamlValue, place: Place): string {
  if (typeof value === 'string') return string(value, place);
  if (Array.isArray(value)) return '[]';
  if (value instanceof Map) return '{}';
  return typeof value === 'number' ? floatText(value) : String(value);
}

function floatText(value: number): string {
  const text = formatFloatG(value);
  return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[text] ?? text;
}

function string(text: string, place: Place): string {
  switch (styleOf(text, resolvePlain(text).tag === '!!str')) {
    case 'literal':
      return place.isKey ? doubleQuoted(text, place) : literal(text, place.indent);
    case 'plain':
      return folded(text, place, 0);
    case 'single quoted':
      return `'${folded(text, { ...place, column: place.column + 1 }, 1)}'`;
    case 'double quoted':
      return doubleQuoted(text, place);
  }
}

/** The text of a plain or single-quoted scalar: single spaces become line breaks, but not within `margin` of an end. */
function folded(text: string, { column, indent, isKey }: Place, margin: number): string {
  const quoted = margin > 0 ? text.replaceAll("'", "''") : text;
  if (isKey || column + quoted.length <= bestWidth) return quoted;
  const chars = Array.from(text);
  let out = '';
  let at = column;
  for (const [i, char] of chars.entries()) {
    const isInside = i >= margin && i < chars.length - margin;
    if (char === ' ' && at > bestWidth && isInside && chars[i - 1] !== ' ' && chars[i + 1] !== ' ') {
      out += `\n${' '.repeat(indent)}`;
      at = indent;
    } else {
      const written = char === "'" && margin > 0 ? "''" : char;
      out += written;
      at += written === "''" ? 2 : 1;
    }
  }
  return out;
}

function doubleQuoted(text: string, { column, indent, isKey }: Place): string {
  const chars = Array.from(text);
  // A fault of yaml.v2: a byte order mark at the start makes it escape everything behind it too.
  const escapesAll = text.startsWith('\uFEFF');
  let out = '"';
  let at = column + 1;
  let afterSpace = false;
  for (const [i, char] of chars.entries()) {
    let written = escapesAll || isEscaped(char) ? escapeChar(char) : char;
    const isSpace = written === ' ';
    if (isSpace && !isKey && !afterSpace && at > bestWidth && i > 0 && i < chars.length - 1) {
      out += `\n${' '.repeat(indent)}`;
      at = indent;
      written = chars[i + 1] === ' ' ? '\\' : '';
    }
    out += written;
    at += char === written ? 1 : written.length;
    afterSpace = isSpace;
  }
  return `${out}"`;
}

/** With an indentation hint where it starts with white space, and `-` or `+` for none or several breaks at its end. */
function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomping = text.endsWith('\n') ? (/^\n$|\n\n$/.test(text) ? '+' : '') : '-';
  const lines = text.replace(/\n$/, '').split('\n');
  return [`|${hint}${chomping}`, ...lines.map(line => (line === '' ? '' : ' '.repeat(indent) + line))].join(
    '\n',
  );
}
