/**
 * Protocol messages as golang/protobuf's compact text form, which is what `{{ .Chart }}` and the like print:
 * `name:"web" version:"1.0.0" `, fields at their default left out.
 */

/** A field's value: strings are byte strings; a nested message is its own text. */
export type ProtoField =
  | string
  | number
  | bigint
  | boolean
  | readonly string[]
  | ReadonlyMap<string, string>
  | { readonly messages: readonly string[] };

const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

function quoteProto(bytes: string): string {
  const escaped = bytes.replace(/[^ !#-[\]-~]/gs, byte => {
    return escapes[byte] ?? `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  return `"${escaped}"`;
}

function fieldText(name: string, value: ProtoField): string {
  if (typeof value === 'string') return value === '' ? '' : `${name}:${quoteProto(value)} `;
  if (typeof value !== 'object') return value ? `${name}:${value} ` : '';
  if (value instanceof Map) {
    const keys = [...value.keys()].sort();
    const entry = (key: string) => `key:${quoteProto(key)} value:${quoteProto(value.get(key) ?? '')} `;
    return keys.map(key => `${name}:<${entry(key)}> `).join('');
  }
  if ('messages' in value) return value.messages.map(text => `${name}:<${text}> `).join('');
  return [...(value as readonly string[])].map(item => `${name}:${quoteProto(item)} `).join('');
}

/** The fields in the order of their numbers. */
export function protoText(fields: Iterable<readonly [string, ProtoField]>): string {
  return Array.from(fields, ([name, value]) => fieldText(name, value)).join('');
}
