import { RE2JS } from 're2js';
import { RenderLimitError } from '../go/limits.ts';

/**
 * File name patterns of `.Files.Glob`: those of github.com/gobwas/glob with `/` as separator. `*` and `?` stay within a
 * path segment, `**` does not; `[ab]`, `[a-z]`, `[!a]`, `{one,two}` and `\` are as in shells.
 */

/** Bytes of a pattern; its expression takes memory and time by its length. */
const maxPatternLength = 1000;

/** A pattern's regular expression, read from left to right. */
class GlobReader {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /** @returns undefined when the pattern is wrong */
  read(): string | undefined {
    let source = '';
    while (this.#at < this.#pattern.length) {
      const part = this.#part();
      if (part === undefined) return undefined;
      source += part;
    }
    return this.#depth === 0 ? source : undefined;
  }

  #part(): string | undefined {
    const char = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
    this.#at += char.length;
    switch (char) {
      case '*':
        if (this.#pattern[this.#at] !== '*') return '[^/]*';
        while (this.#pattern[this.#at] === '*') this.#at++;
        return '(?s:.*)';
      case '?':
        return '[^/]';
      case '[':
        return this.#set();
      case '{':
        this.#depth++;
        return '(?:';
      case '}':
        return this.#depth-- > 0 ? ')' : undefined;
      case ',':
        return this.#depth > 0 ? '|' : ',';
      case '\\': {
        const escaped = this.#pattern[this.#at++];
        return escaped === undefined ? undefined : RE2JS.quote(escaped);
      }
      default:
        return RE2JS.quote(char);
    }
  }

  #set(): string | undefined {
    const close = this.#pattern.indexOf(']', this.#at + 1);
    if (close < 0) return undefined;
    const body = this.#pattern.slice(this.#at, close);
    this.#at = close + 1;
    const negated = body.startsWith('!');
    const members = negated ? body.slice(1) : body;
    if (members === '') return undefined;
    const range = /^(.)-(.)$/su.exec(members);
    const escaped = range
      ? `${escapeMember(range[1]!)}-${escapeMember(range[2]!)}`
      : Array.from(members, escapeMember).join('');
    return `[${negated ? '^' : ''}${escaped}]`;
  }
}

function escapeMember(char: string): string {
  return /[\p{L}\p{N}]/u.test(char) ? char : `\\x{${char.codePointAt(0)!.toString(16)}}`;
}

/**
 * A test of file names; a pattern that is wrong matches everything, as Tiller has it.
 * @throws RenderLimitError when the pattern is too long
 */
export function createGlob(pattern: string): (name: string) => boolean {
  if (pattern.length > maxPatternLength) throw new RenderLimitError('a file pattern is too long');
  const source = new GlobReader(pattern).read();
  if (source === undefined) return () => true;
  const expression = RE2JS.compile(source);
  return name => expression.matches(name);
}
