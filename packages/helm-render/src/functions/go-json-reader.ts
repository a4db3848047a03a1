import { quoteRune } from '../go/quote.ts';
import type { YamlValue } from '../yaml/index.ts';

/** A syntax error as encoding/json words it. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** encoding/json stops at 10,000; this reader calls itself for each level. */
const maxDepth = 1_000;

const escapes = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** Reads a JSON text as encoding/json does: the last of equal keys counts. @throws JsonSyntaxError in Go's words */
export function readGoJson(text: string): YamlValue {
  return new JsonReader(text).readDocument();
}

class JsonReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): YamlValue {
    const value = this.#readValue(0);
    this.#skipSpace();
    if (this.#position < this.#text.length) throw this.#invalid('after top-level value');
    return value;
  }

  #skipSpace(): void {
    while (' \t\r\n'.includes(this.#text[this.#position] ?? 'x')) this.#position++;
  }

  /** Go's words about the character here. */
  #invalid(context: string): JsonSyntaxError {
    const code = this.#text.codePointAt(this.#position);
    if (code === undefined) return new JsonSyntaxError('unexpected end of JSON input');
    // Go shows one byte; of a character of several that is its first.
    const byte = Buffer.from(String.fromCodePoint(code))[0]!;
    const shown = byte === 0x27 ? `'\\''` : byte === 0x22 ? `'"'` : quoteRune(byte);
    return new JsonSyntaxError(`invalid character ${shown} ${context}`);
  }

  #readValue(depth: number): YamlValue {
    if (depth > maxDepth) throw new JsonSyntaxError('exceeded max depth');
    this.#skipSpace();
    const char = this.#text[this.#position];
    switch (char) {
      case '{':
        return this.#readObject(depth);
      case '[':
        return this.#readArray(depth);
      case '"':
        return this.#readString();
      case 't':
        return this.#readWord('true', true);
      case 'f':
        return this.#readWord('false', false);
      case 'n':
        return this.#readWord('null', null);
      default:
        return this.#readNumber();
    }
  }

  #readWord<T>(word: string, value: T): T {
    for (const [index, char] of [...word].entries()) {
      if (this.#text[this.#position] !== char) {
        throw this.#invalid(`in literal ${word} (expecting ${quoteRune(word.charCodeAt(index))})`);
      }
      this.#position++;
    }
    return value;
  }

  #readNumber(): YamlValue {
    const start = this.#position;
    const negative = this.#text[start] === '-';
    if (negative) this.#position++;
    if (!/\d/.test(this.#text[this.#position] ?? '')) {
      throw this.#invalid(negative ? 'in numeric literal' : 'looking for beginning of value');
    }
    if (this.#text[this.#position] === '0') this.#position++;
    else this.#skipDigits();
    if (this.#text[this.#position] === '.') {
      this.#position++;
      this.#requireDigits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#position] ?? '')) {
      this.#position++;
      if (/[-+]/.test(this.#text[this.#position] ?? '')) this.#position++;
      this.#requireDigits('in exponent of numeric literal');
    }
    const literal = this.#text.slice(start, this.#position);
    const value = Number(literal);
    if (Number.isFinite(value)) return value;
    throw new JsonSyntaxError(`json: cannot unmarshal number ${literal} into Go value of type float64`);
  }

  #skipDigits(): void {
    while (/\d/.test(this.#text[this.#position] ?? '')) this.#position++;
  }

  #requireDigits(context: string): void {
    if (!/\d/.test(this.#text[this.#position] ?? '')) throw this.#invalid(context);
    this.#skipDigits();
  }

  #readString(): string {
    let value = '';
    let start = ++this.#position;
    for (;;) {
      const char = this.#text[this.#position];
      if (char === undefined || char < ' ') throw this.#invalid('in string literal');
      if (char === '"') break;
      this.#position++;
      if (char !== '\\') continue;
      value += this.#text.slice(start, this.#position - 1) + this.#readEscape();
      start = this.#position;
    }
    value += this.#text.slice(start, this.#position++);
    return value.toWellFormed();
  }

  #readEscape(): string {
    const letter = this.#text[this.#position] ?? '';
    const simple = escapes.get(letter);
    if (simple === undefined && letter !== 'u') throw this.#invalid('in string escape code');
    this.#position++;
    if (simple !== undefined) return simple;
    const start = this.#position;
    while (this.#position < start + 4) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#position] ?? '')) {
        throw this.#invalid('in \\u hexadecimal character escape');
      }
      this.#position++;
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#position), 16));
  }

  #readArray(depth: number): YamlValue[] {
    const list: YamlValue[] = [];
    this.#position++;
    this.#skipSpace();
    if (this.#text[this.#position] === ']') {
      this.#position++;
      return list;
    }
    for (;;) {
      list.push(this.#readValue(depth + 1));
      if (this.#endsAfter(']', 'after array element')) return list;
    }
  }

  #readObject(depth: number): YamlValue {
    const map = new Map<string, YamlValue>();
    this.#position++;
    this.#skipSpace();
    if (this.#text[this.#position] === '}') {
      this.#position++;
      return map;
    }
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#position] !== '"') {
        throw this.#invalid('looking for beginning of object key string');
      }
      const key = this.#readString();
      this.#skipSpace();
      if (this.#text[this.#position] !== ':') throw this.#invalid('after object key');
      this.#position++;
      map.set(key, this.#readValue(depth + 1));
      if (this.#endsAfter('}', 'after object key:value pair')) return map;
    }
  }

  /** Steps over a comma (false) or the closing bracket (true). */
  #endsAfter(close: string, context: string): boolean {
    this.#skipSpace();
    const char = this.#text[this.#position];
    if (char !== ',' && char !== close) throw this.#invalid(context);
    this.#position++;
    return char === close;
  }
}
