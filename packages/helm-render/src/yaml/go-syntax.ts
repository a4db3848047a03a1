import { formatFloatG } from './go-float.ts';
import type { MappingNode, ScalarNode, YamlNode } from './node.ts';
import { compareUtf8 } from './order.ts';
import { resolvePlain, resolveTagged } from './resolve-scalar.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

/** A string as Go's strconv.Quote writes it. */
function quoteGo(text: string): string {
  return `"${text.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escapeGo)}"`;
}

function escapeGo(char: string): string {
  const simple = escapes.get(char);
  if (simple !== undefined) return simple;
  const code = char.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

/** A node as Go's `%#v` prints the value that yaml.v2 makes of it: error texts about keys show it. */
export function nodeToGoSyntax(node: YamlNode, top = true): string {
  switch (node.kind) {
    case 'alias':
      return nodeToGoSyntax(node.target, top);
    case 'sequence':
      return `[]interface {}{${node.items.map(item => nodeToGoSyntax(item, false)).join(', ')}}`;
    case 'mapping':
      return mappingToGoSyntax(node);
    case 'scalar':
      return scalarToGoSyntax(node, top);
  }
}

function mappingToGoSyntax(node: MappingNode): string {
  const entries = new Map<string, string>();
  for (const [key, value] of node.entries) {
    entries.set(nodeToGoSyntax(key, false), nodeToGoSyntax(value, false));
  }
  const sorted = [...entries].sort(([a], [b]) => compareUtf8(a, b));
  return `map[interface {}]interface {}{${sorted.map(([key, value]) => `${key}:${value}`).join(', ')}}`;
}

function scalarToGoSyntax(node: ScalarNode, top: boolean): string {
  const value = scalarValue(node);
  if (value === null) return top ? '<nil>' : 'interface {}(nil)';
  if (typeof value === 'string') return quoteGo(value);
  if (typeof value === 'number') return formatFloatG(value);
  // Only an integer above int64's range is a uint64, which `%#v` prints in hexadecimal.
  if (typeof value === 'bigint' && value >= 1n << 63n) return `0x${value.toString(16)}`;
  return String(value);
}

/** The value of a scalar by its tag, its quotes, or its text. */
export function scalarValue(node: ScalarNode): null | boolean | bigint | number | string {
  if (node.tag !== '') return resolveTagged(node.value, node.tag);
  return node.plain ? resolvePlain(node.value).value : node.value;
}
