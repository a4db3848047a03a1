import { runeAt, runeToBytes } from './bytes.ts';
import { createFlags, type FormatFlags } from './format-flags.ts';
import type { Work } from './limits.ts';
import { formatArgument, formatValue } from './print.ts';
import { type GoValue, integerOf, typeOf } from './value.ts';

/** Widths and precisions beyond this are refused, as in Go. */
const maxSize = 1_000_000;

/** Reads one format string and its arguments: fmt.Sprintf. https://pkg.go.dev/fmt#hdr-Explicit_argument_indexes */
class FormatReader {
  readonly #format: string;
  readonly #args: GoValue[];
  readonly #work: Work;
  #at = 0;
  #argument = 0;
  #reordered = false;
  /** Whether the index in brackets before the verb was usable. */
  #goodIndex = true;
  #afterIndex = false;

  constructor(format: string, args: GoValue[], work: Work) {
    this.#format = format;
    this.#args = args;
    this.#work = work;
  }

  read(): string {
    let text = '';
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent < 0 ? this.#format.length : percent;
      text += this.#format.slice(this.#at, end);
      this.#at = end;
      if (percent < 0) break;
      this.#at++;
      text += this.#directive();
    }
    return text + this.#extra();
  }

  #directive(): string {
    const flags = createFlags();
    this.#goodIndex = true;
    this.#afterIndex = false;
    this.#readFlags(flags);
    this.#readIndex();
    let text = this.#readWidth(flags);
    text += this.#readPrecision(flags);
    if (!this.#afterIndex) this.#readIndex();
    if (this.#at >= this.#format.length) return `${text}%!(NOVERB)`;
    const { value, size } = runeAt(this.#format, this.#at);
    this.#at += size;
    return text + this.#verb(runeToBytes(value), flags);
  }

  #verb(verb: string, flags: FormatFlags): string {
    if (verb === '%') return '%';
    if (!this.#goodIndex) return `%!${verb}(BADINDEX)`;
    if (this.#argument >= this.#args.length) return `%!${verb}(MISSING)`;
    const value = this.#args[this.#argument++] ?? null;
    if (verb === 'v') {
      flags.sharpV = flags.sharp;
      flags.sharp = false;
      flags.plusV = flags.plus;
      flags.plus = false;
    }
    return formatArgument(value, verb, flags, this.#work);
  }

  #readFlags(flags: FormatFlags): void {
    for (; ; this.#at++) {
      switch (this.#format[this.#at]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = !flags.minus;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          flags.zero = false;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          return;
      }
    }
  }

  /** `[3]`: the next argument is the third. */
  #readIndex(): void {
    if (this.#format[this.#at] !== '[') return;
    this.#reordered = true;
    const close = this.#format.indexOf(']', this.#at);
    if (close < 0) {
      this.#goodIndex = false;
      this.#at++;
      return;
    }
    const inner = this.#format.slice(this.#at + 1, close);
    this.#at = close + 1;
    const index = /^\d+$/.test(inner) ? Number(inner) - 1 : -1;
    if (index >= 0 && index < this.#args.length) {
      this.#argument = index;
      this.#afterIndex = true;
    } else {
      this.#goodIndex = false;
    }
  }

  /** A width or precision. One that is too large makes Go give up the rest of the format. */
  #readNumber(): number | undefined {
    let end = this.#at;
    while (/\d/.test(this.#format[end] ?? '')) end++;
    if (end === this.#at) return undefined;
    const value = Number(this.#format.slice(this.#at, end));
    this.#at = value > maxSize ? this.#format.length : end;
    return value > maxSize ? undefined : value;
  }

  /** An argument used as a width or precision by `*`. */
  #starArgument(): number | undefined {
    this.#at++;
    const integer = integerOf(this.#args[this.#argument] ?? null);
    if (this.#argument < this.#args.length) this.#argument++;
    this.#afterIndex = false;
    if (integer === undefined || integer > BigInt(maxSize) || integer < BigInt(-maxSize)) return undefined;
    return Number(integer);
  }

  #readWidth(flags: FormatFlags): string {
    if (this.#format[this.#at] === '*') {
      const width = this.#starArgument();
      if (width === undefined) return '%!(BADWIDTH)';
      flags.width = Math.abs(width);
      if (width < 0) {
        flags.minus = true;
        flags.zero = false;
      }
      return '';
    }
    const width = this.#readNumber();
    if (width === undefined) return '';
    flags.width = width;
    // `%[3]2d` is wrong: an index must come right before the verb or a star.
    if (this.#afterIndex) this.#goodIndex = false;
    return '';
  }

  #readPrecision(flags: FormatFlags): string {
    if (this.#format[this.#at] !== '.') return '';
    this.#at++;
    if (this.#afterIndex) this.#goodIndex = false;
    this.#readIndex();
    if (this.#format[this.#at] === '*') {
      const precision = this.#starArgument();
      if (precision === undefined) return '%!(BADPREC)';
      if (precision >= 0) flags.precision = precision;
      return precision < 0 ? '%!(BADPREC)' : '';
    }
    flags.precision = this.#readNumber() ?? 0;
    return '';
  }

  #extra(): string {
    if (this.#reordered || this.#argument >= this.#args.length) return '';
    const extra = this.#args
      .slice(this.#argument)
      .map(value => (value === null ? '<nil>' : `${typeOf(value)}=${formatValue(value, this.#work)}`));
    return `%!(EXTRA ${extra.join(', ')})`;
  }
}

/** fmt.Sprintf. */
export function sprintf(format: string, args: GoValue[], work: Work): string {
  return new FormatReader(format, args, work).read();
}
