import { invalidArgument, limitExceeded } from '../protocol/index.ts';
import { limits } from './wire-format.ts';

/** What a JSON value starts with. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

const kinds: Readonly<Record<string, JsonKind>> = {
  '{': 'object',
  '[': 'array',
  '"': 'string',
  t: 'true',
  f: 'false',
  n: 'null',
  '-': 'number',
};

/** No number of this contract needs more; without a bound, turning a megabyte of digits into a bigint takes seconds. */
const maxNumberLength = 400;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Reads JSON text (UTF-8) token by token, so that a request becomes wire format without an object tree between: what a
 * body may cost is bounded by its size and by `limits`. Source of the grammar: RFC 8259.
 *
 * Every method throws GatewayError INVALID_ARGUMENT with the place of the fault as line and column.
 */
export class JsonReader {
  readonly #text: Buffer;
  #position = 0;
  #nodes = 0;

  constructor(text: Buffer) {
    this.#text = text;
  }

  /** The kind of the next value; nothing is consumed but white space before it. */
  peek(): JsonKind {
    this.#space();
    const byte = this.#text[this.#position];
    if (byte === undefined) throw this.#fault('ends where a value should stand');
    const kind = kinds[String.fromCharCode(byte)];
    if (kind) return kind;
    if (byte >= 0x30 && byte <= 0x39) return 'number';
    throw this.#fault('has something that is not a value');
  }

  /** Runs `member` for each name of an object; it has to consume the value. */
  object(member: (name: string) => void): void {
    this.#expect(0x7b);
    if (this.#accept(0x7d)) return;
    do {
      this.#space();
      if (this.#text[this.#position] !== quote)
        throw this.#fault('has no name in quotes where one should stand');
      const name = this.string();
      this.#expect(0x3a);
      this.#count();
      member(name);
    } while (this.#accept(0x2c));
    this.#expect(0x7d);
  }

  /** Runs `item` for each entry of an array; it has to consume the value. */
  array(item: (index: number) => void): void {
    this.#expect(0x5b);
    if (this.#accept(0x5d)) return;
    let index = 0;
    do {
      this.#count();
      item(index++);
    } while (this.#accept(0x2c));
    this.#expect(0x5d);
  }

  string(): string {
    this.#expect(quote);
    const start = this.#position;
    const end = this.#text.indexOf(quote, start);
    if (end < 0) throw this.#fault('has a string without an end');
    const firstEscape = this.#text.subarray(start, end).indexOf(backslash);
    if (firstEscape < 0) {
      this.#position = end + 1;
      return this.#checked(this.#text.toString('utf8', start, end), start);
    }
    return this.#escapedString(start);
  }

  /** The digits of a number as they stand, so that 64-bit integers stay exact. */
  number(): string {
    this.#space();
    const start = this.#position;
    while (this.#position < this.#text.length && isNumberByte(this.#text[this.#position]!)) this.#position++;
    const digits = this.#text.toString('latin1', start, this.#position);
    if (digits.length > maxNumberLength || !/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(digits)) {
      this.#position = start;
      throw this.#fault('has a malformed number');
    }
    return digits;
  }

  /** `true`, `false` or `null`, as `peek` announced it. */
  literal(word: 'true' | 'false' | 'null'): void {
    this.#space();
    if (this.#text.toString('latin1', this.#position, this.#position + word.length) !== word) {
      throw this.#fault(`has something that is not a value`);
    }
    this.#position += word.length;
  }

  /** Consumes the next value, whatever it is, without keeping any of it. */
  skip(depth = 0): void {
    if (depth > limits.maxDepth) throw this.#fault(`nests deeper than ${limits.maxDepth}`);
    const kind = this.peek();
    if (kind === 'object') this.object(() => this.skip(depth + 1));
    else if (kind === 'array') this.array(() => this.skip(depth + 1));
    else if (kind === 'string') this.string();
    else if (kind === 'number') this.number();
    else this.literal(kind);
  }

  end(): void {
    this.#space();
    if (this.#position < this.#text.length) throw this.#fault('goes on after its end');
  }

  /** Every member and every entry counts, before anything is made of it. */
  #count(): void {
    if (++this.#nodes > limits.maxNodes)
      throw limitExceeded(`the JSON body has more than ${limits.maxNodes} values`);
  }

  #escapedString(start: number): string {
    let end = start;
    while (this.#text[end] !== quote) {
      end += this.#text[end] === backslash ? 2 : 1;
      if (end >= this.#text.length) throw this.#fault('has a string without an end');
    }
    const literal = this.#text.toString('utf8', start - 1, end + 1);
    this.#position = end + 1;
    try {
      return JSON.parse(literal) as string;
    } catch {
      this.#position = start;
      throw this.#fault('has a malformed string');
    }
  }

  /** Control characters have to be escaped. */
  #checked(text: string, start: number): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\x00-\x1f]/.test(text)) {
      this.#position = start;
      throw this.#fault('has a control character in a string');
    }
    return text;
  }

  #accept(byte: number): boolean {
    this.#space();
    if (this.#text[this.#position] !== byte) return false;
    this.#position++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#accept(byte))
      throw this.#fault(`has no "${String.fromCharCode(byte)}" where one should stand`);
  }

  #space(): void {
    for (;;) {
      const byte = this.#text[this.#position];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#position++;
    }
  }

  #fault(what: string): Error {
    let line = 1;
    let lineStart = 0;
    for (let index = 0; index < this.#position; index++) {
      if (this.#text[index] !== 0x0a) continue;
      line++;
      lineStart = index + 1;
    }
    const column = this.#position - lineStart + 1;
    return invalidArgument(`the JSON body ${what} (line ${line}, column ${column})`);
  }
}

function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  );
}
