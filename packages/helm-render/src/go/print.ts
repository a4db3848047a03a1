import { bufferToBytes } from './bytes.ts';
import { createFlags, type FormatFlags, pad } from './format-flags.ts';
import { formatBool, formatFloatVerb, formatInteger, formatString } from './format-scalar.ts';
import { RenderLimitError, type Work } from './limits.ts';
import {
  GoComplex,
  GoInteger,
  type GoList,
  type GoMap,
  GoStruct,
  type GoValue,
  sortedKeys,
  typeOf,
} from './value.ts';

/** What one value within another costs: more than an action. */
const elementWork = 40;

/** Text of one value; a value that holds itself would go on for ever, and one that shares much is huge. */
const maxTextBytes = 32 << 20;
const maxDepth = 500;

const stringVerbs = new Set(['v', 's', 'x', 'X', 'q']);

/** fmt's printing of one argument with one verb. */
class Printer {
  readonly #flags: FormatFlags;
  readonly #work: Work;
  #bytes = 0;

  constructor(flags: FormatFlags, work: Work) {
    this.#flags = flags;
    this.#work = work;
  }

  print(value: GoValue, verb: string, depth = 0): string {
    if (depth > maxDepth) throw new RenderLimitError('a value is nested too deep to be printed');
    const text = this.#scalar(value, verb) ?? this.#composite(value, verb, depth);
    const shown = text ?? this.badVerb(value, verb);
    this.#bytes += shown.length;
    if (this.#bytes > maxTextBytes * 8) throw new RenderLimitError('a value is too large to be printed');
    return shown;
  }

  badVerb(value: GoValue, verb: string): string {
    if (value === null) return `%!${verb}(<nil>)`;
    return `%!${verb}(${typeOf(value)}=${this.print(value, 'v')})`;
  }

  #scalar(value: GoValue, verb: string): string | undefined {
    const flags = this.#flags;
    switch (typeof value) {
      case 'boolean':
        return formatBool(value, verb, flags);
      case 'string':
        return formatString(value, verb, flags);
      case 'bigint':
        return formatInteger(value, verb, flags, true);
      case 'number':
        return formatFloatVerb(value, verb, flags);
    }
    if (value instanceof GoInteger) {
      return formatInteger(value.value, verb, flags, !value.kind.startsWith('u'));
    }
    return value instanceof GoComplex ? this.#complex(value, verb) : undefined;
  }

  #complex(value: GoComplex, verb: string): string | undefined {
    const real = formatFloatVerb(value.real, verb, this.#flags);
    const imaginary = formatFloatVerb(value.imaginary, verb, { ...this.#flags, plus: true });
    return real === undefined ? undefined : `(${real}${imaginary}i)`;
  }

  #composite(value: GoValue, verb: string, depth: number): string | undefined {
    if (value === null) {
      if (verb === 'v' && depth === 0) return pad('<nil>', this.#flags);
      return depth === 0 ? undefined : this.#flags.sharpV ? 'interface {}(nil)' : '<nil>';
    }
    if (value instanceof Map) return this.#map(value, verb, depth);
    if (value instanceof Uint8Array) return this.#bytesOf(value, verb, depth);
    if (Array.isArray(value)) return this.#list(value, verb, depth);
    return value instanceof GoStruct ? this.#struct(value, verb, depth) : undefined;
  }

  #map(map: GoMap, verb: string, depth: number): string {
    const { sharpV } = this.#flags;
    this.#work.charge(map.size * elementWork);
    const entries = sortedKeys(map).map(
      key => `${this.print(key, verb, depth + 1)}:${this.print(map.get(key) ?? null, verb, depth + 1)}`,
    );
    return sharpV ? `${typeOf(map)}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`;
  }

  #bytesOf(bytes: Uint8Array, verb: string, depth: number): string | undefined {
    if (verb !== 'v' && verb !== 'd') return formatString(bufferToBytes(bytes), verb, this.#flags);
    this.#work.charge(bytes.length);
    const elements = Array.from(bytes, byte => new GoInteger('uint8', BigInt(byte)));
    return this.#list(elements, verb, depth, 'uint8');
  }

  #list(list: GoList, verb: string, depth: number, elementType?: string): string {
    this.#work.charge(list.length * elementWork);
    const elements = Array.from(list, element => this.print(element, verb, depth + 1));
    if (!this.#flags.sharpV) return `[${elements.join(' ')}]`;
    return `${elementType === undefined ? typeOf(list) : '[]byte'}{${elements.join(', ')}}`;
  }

  #struct(struct: GoStruct, verb: string, depth: number): string | undefined {
    const { sharpV, plusV } = this.#flags;
    if (struct.text && !sharpV && stringVerbs.has(verb))
      return formatString(struct.text(), verb, this.#flags);
    const isPointer = struct.type.startsWith('*');
    // Go prints the address of a pointer within another value; it tells nothing, so any address will do.
    if (isPointer && depth > 0) return '0xc000000000';
    const name = (key: string) => (sharpV || plusV ? `${key}:` : '');
    const fields = Array.from(
      struct.fields,
      ([key, field]) => name(key) + this.print(field.value, verb, depth + 1),
    );
    const body = `{${fields.join(sharpV ? ', ' : ' ')}}`;
    const type = sharpV ? struct.type.replace(/^\*/, '') : '';
    return `${isPointer ? '&' : ''}${type}${body}`;
  }
}

/** One argument with one verb, as Sprintf writes it. */
export function formatArgument(value: GoValue, verb: string, flags: FormatFlags, work: Work): string {
  if (verb === 'T') return formatString(typeOf(value), 's', flags) ?? '';
  return new Printer(flags, work).print(value, verb);
}

/** `%v` of one value: fmt.Sprint(value). What is in it is charged: of values that share parts there can be far more. */
export function formatValue(value: GoValue, work: Work): string {
  if (typeof value === 'string') return value;
  return new Printer(createFlags(), work).print(value, 'v');
}

/** fmt.Sprint: a space stands between two operands of which neither is a string. */
export function sprint(values: GoValue[], work: Work): string {
  let text = '';
  values.forEach((value, index) => {
    const previous = values[index - 1];
    if (index > 0 && typeof value !== 'string' && typeof previous !== 'string') text += ' ';
    text += formatValue(value, work);
  });
  return text;
}

/** fmt.Sprintln: a space between all operands, and a newline. */
export function sprintln(values: GoValue[], work: Work): string {
  return `${values.map(value => formatValue(value, work)).join(' ')}\n`;
}

/**
 * What `{{ value }}` writes: a pointer is followed, and nothing at all is `<no value>` (which Tiller then removes from
 * the rendered text).
 */
export function printableText(value: GoValue | undefined, work: Work): string {
  if (value === undefined) return '<no value>';
  const text = formatValue(value, work);
  const isPlainPointer = value instanceof GoStruct && !value.text && value.type.startsWith('*');
  return isPlainPointer ? text.slice(1) : text;
}
