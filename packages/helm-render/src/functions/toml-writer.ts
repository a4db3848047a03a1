import { formatFloatF, type YamlMap, type YamlValue } from '../yaml/index.ts';

/** What github.com/BurntSushi/toml refuses to write, in its words. */
export class TomlError extends Error {
  override readonly name = 'TomlError';
}

/** A value as BurntSushi/toml's Encoder writes it: plain keys first, then tables, each sorted; two spaces a level. */
export function writeToml(value: YamlValue): string {
  if (!(value instanceof Map)) throw new TomlError('toml: top-level values must be Go maps or structs');
  const lines: string[] = [];
  writeTable([], value, lines);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

const compare = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

function writeTable(path: readonly string[], table: YamlMap, lines: string[]): void {
  const entries = [...table].filter(([, value]) => value !== null).sort(compare);
  for (const [key, value] of entries) {
    if (!isTable(value)) lines.push(`${indent(path.length)}${quoteKey(key)} = ${writeValue(value)}`);
  }
  for (const [key, value] of entries) {
    const inner = [...path, key];
    if (value instanceof Map) {
      // A blank line stands between tables at the top, not before the first line.
      if (inner.length === 1 && lines.length > 0) lines.push('');
      lines.push(`${indent(path.length)}[${inner.map(quoteKey).join('.')}]`);
      writeTable(inner, value, lines);
    } else if (isTable(value)) {
      for (const item of value as YamlMap[]) {
        if (lines.length > 0) lines.push('');
        lines.push(`${indent(path.length)}[[${inner.map(quoteKey).join('.')}]]`);
        writeTable(inner, item, lines);
      }
    }
  }
}

/** A map, or a list that holds maps only. */
function isTable(value: YamlValue): boolean {
  if (value instanceof Map) return true;
  return Array.isArray(value) && value.length > 0 && value.every(item => item instanceof Map);
}

function indent(level: number): string {
  return '  '.repeat(level);
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : `"${key.replaceAll('"', '\\"')}"`;
}

function writeValue(value: YamlValue): string {
  if (Array.isArray(value)) return writeList(value);
  if (typeof value === 'string') return quoteText(value);
  if (typeof value !== 'number') return String(value);
  const text = formatFloatF(value);
  return text.includes('.') ? text : `${text}.0`;
}

function writeList(list: readonly YamlValue[]): string {
  if (list.includes(null)) throw new TomlError('toml: cannot encode array with nil element');
  const kinds = new Set(list.map(kind));
  if (kinds.size > 1) throw new TomlError('toml: cannot encode array with mixed element types');
  if (kinds.has('table')) throw new TomlError('toml: TOML array element cannot contain a table');
  return `[${list.map(writeValue).join(', ')}]`;
}

function kind(value: YamlValue): string {
  if (value instanceof Map) return 'table';
  return Array.isArray(value) ? 'array' : typeof value;
}

const escapes: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

function quoteText(text: string): string {
  return `"${text.replace(/[\t\n\r"\\]/g, char => escapes[char]!)}"`;
}
