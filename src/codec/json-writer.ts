import { isUtf8 } from 'node:buffer';

/** What a byte below 0x5d needs in a JSON string: 0 nothing, 1 `\u00XX`, else the letter behind the backslash. */
const escapeOf = new Uint8Array(256).fill(1, 0, 0x20);
for (const [index, letter] of ['b', 't', 'n', 'f', 'r', '"', '\\'].entries())
  escapeOf['\b\t\n\f\r"\\'.charCodeAt(index)] = letter.charCodeAt(0);

const hexDigits = Buffer.from('0123456789abcdef');
const backslash = 0x5c;
const quote = 0x22;

/**
 * JSON text in one growing buffer. Strings go from UTF-8 to UTF-8 without becoming JavaScript strings: half the time of
 * `JSON.stringify` for manifests, where every line ends in something to escape.
 */
export class JsonWriter {
  #buffer: Buffer;
  #position = 0;

  /** @param capacity a guess at the length in bytes; the buffer grows as needed */
  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(Math.max(capacity, 64));
  }

  /** Drops what is written. */
  clear(): void {
    this.#position = 0;
  }

  /** The JSON text; the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#position);
  }

  byte(value: number): void {
    if (this.#position === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#position++] = value;
  }

  /** Text that is plain ASCII and needs no escapes: punctuation, numbers, names of fields. */
  ascii(text: string): void {
    const { length } = text;
    if (this.#position + length > this.#buffer.length) this.#grow(length);
    const buffer = this.#buffer;
    let position = this.#position;
    for (let index = 0; index < length; index++) buffer[position++] = text.charCodeAt(index);
    this.#position = position;
  }

  /** JSON that is written already. */
  utf8(json: Uint8Array): void {
    if (this.#position + json.length > this.#buffer.length) this.#grow(json.length);
    this.#buffer.set(json, this.#position);
    this.#position += json.length;
  }

  /** A JSON string from UTF-8 bytes, quotes included. Bytes that are not UTF-8 become U+FFFD. */
  utf8String(bytes: Uint8Array, start: number, end: number): void {
    this.#room((end - start) * 6 + 2, end - start + 64);
    const mark = this.#position;
    const highBits = this.#escape(bytes, start, end);
    if (highBits < 0x80 || isUtf8(bytes.subarray(start, end))) return;
    const mended = Buffer.from(new TextDecoder().decode(bytes.subarray(start, end)));
    this.#position = mark;
    this.#escape(mended, 0, mended.length);
  }

  /** A JSON string with the bytes in base64. */
  base64String(bytes: Uint8Array, start: number, end: number): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64');
    this.#room(text.length + 2, text.length + 2);
    this.#buffer[this.#position++] = quote;
    this.#position += this.#buffer.write(text, this.#position, 'latin1');
    this.#buffer[this.#position++] = quote;
  }

  /**
   * Runs of plain bytes in a loop of their own, which takes half the time of one loop that looks at each byte's room too.
   * Returns all bytes OR-ed together, so that the caller knows whether any is beyond ASCII.
   */
  #escape(bytes: Uint8Array, start: number, end: number): number {
    let buffer = this.#buffer;
    let position = this.#position;
    let highBits = 0;
    let index = start;
    buffer[position++] = quote;
    for (;;) {
      // room for these, for one escape and for the quote
      const stop = Math.min(end, index + buffer.length - position - 8);
      let byte = 0;
      let letter = 0;
      while (index < stop) {
        byte = bytes[index]!;
        letter = escapeOf[byte]!;
        if (letter !== 0) break;
        buffer[position++] = byte;
        highBits |= byte;
        index++;
      }
      if (index === end) break;
      if (index >= stop) {
        this.#position = position;
        this.#grow(end - index + 64);
        buffer = this.#buffer;
        continue;
      }
      index++;
      buffer[position++] = backslash;
      if (letter === 1) {
        buffer[position++] = 0x75; // u
        buffer[position++] = 0x30; // 0
        buffer[position++] = 0x30;
        buffer[position++] = hexDigits[byte >> 4]!;
        buffer[position++] = hexDigits[byte & 15]!;
      } else {
        buffer[position++] = letter;
      }
    }
    buffer[position++] = quote;
    this.#position = position;
    return highBits;
  }

  /** Small texts get room for the worst case at once; long ones the likely length, and `escape` grows when it must. */
  #room(worst: number, likely: number): void {
    const wanted = worst < 4096 ? worst : likely;
    if (this.#position + wanted > this.#buffer.length) this.#grow(wanted);
  }

  #grow(count: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#position + count, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#position));
    this.#buffer = grown;
  }
}
