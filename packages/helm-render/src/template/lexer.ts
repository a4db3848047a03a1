import { runeAt, runeToBytes } from '../go/bytes.ts';
import { isPrint, quote } from '../go/quote.ts';
import { scanNumber } from './scan-number.ts';
import { type Token, type TokenType, wordType } from './token.ts';

const leftDelim = '{{';
const rightDelim = '}}';
/** After `{{`; its mirror image before `}}`. Only a space counts, no tab or line break. */
const leftTrimMarker = '- ';
const rightTrimDelim = ' -}}';
const trimMarkerLength = leftTrimMarker.length;

const isLineEnd = (char: string | undefined) => char === '\r' || char === '\n';
/** White space inside an action, which ends with its line. */
const isBlank = (char: string | undefined) => char === ' ' || char === '\t';
/** What a trim marker takes away. */
const isSpace = (char: string | undefined) => isBlank(char) || isLineEnd(char);

const letterOrDigit = /^[\p{L}\p{Nd}_]$/u;

/** A letter, digit or underscore: what names are made of. */
function isAlphaNumeric(rune: number): boolean {
  if (rune < 0x80) return /[0-9A-Za-z_]/.test(String.fromCharCode(rune));
  return letterOrDigit.test(String.fromCodePoint(rune));
}

/** Go's `%#U`. */
function describeRune(rune: number): string {
  const code = `U+${rune.toString(16).toUpperCase().padStart(4, '0')}`;
  return isPrint(rune) ? `${code} '${runeToBytes(rune)}'` : code;
}

/** Characters that may follow a name, besides white space, the end, and the right delimiter. */
const terminators = new Set(['.', ',', '|', ':', ')', '(', '}']);

/**
 * Splits a template's source (a byte string) into tokens, as Go 1.14's text/template/parse does. The language:
 * https://pkg.go.dev/text/template#hdr-Actions. A fault is a token of type `error`, after which nothing more comes.
 */
export class Lexer {
  readonly #source: string;
  #at = 0;
  #start = 0;
  #line = 1;
  #lineAt = 0;
  #parenDepth = 0;
  #inAction = false;
  /** Tokens found along with the one returned last. */
  readonly #ready: Token[] = [];
  #done = false;

  constructor(source: string) {
    this.#source = source;
  }

  /** The next token; `eof` again and again once the source has ended. */
  next(): Token {
    while (this.#ready.length === 0) {
      if (this.#done) return this.#token('eof');
      if (this.#inAction) this.#lexAction();
      else this.#lexText();
    }
    return this.#ready.shift()!;
  }

  #token(type: TokenType, value = this.#source.slice(this.#start, this.#at)): Token {
    for (; this.#lineAt < this.#start; this.#lineAt++) {
      if (this.#source.charCodeAt(this.#lineAt) === 10) this.#line++;
    }
    return { type, position: this.#start, value, line: this.#line };
  }

  #emit(type: TokenType) {
    this.#ready.push(this.#token(type));
    this.#start = this.#at;
  }

  #skip() {
    this.#start = this.#at;
  }

  #fail(message: string) {
    this.#ready.push(this.#token('error', message));
    this.#done = true;
  }

  #lexText() {
    const position = this.#source.indexOf(leftDelim, this.#at);
    if (position < 0) {
      this.#at = this.#source.length;
      if (this.#at > this.#start) this.#emit('text');
      this.#emit('eof');
      this.#done = true;
      return;
    }
    const trims = this.#source.startsWith(leftTrimMarker, position + leftDelim.length);
    let end = position;
    if (trims) while (end > this.#start && isSpace(this.#source[end - 1])) end--;
    this.#at = end;
    if (end > this.#start) this.#emit('text');
    this.#at = position;
    this.#skip();
    this.#lexLeftDelim(trims);
  }

  #lexLeftDelim(trims: boolean) {
    const afterMarker = trims ? trimMarkerLength : 0;
    this.#at += leftDelim.length;
    if (this.#source.startsWith('/*', this.#at + afterMarker)) {
      this.#at += afterMarker;
      this.#skip();
      this.#lexComment();
      return;
    }
    this.#emit('leftDelim');
    this.#at += afterMarker;
    this.#skip();
    this.#parenDepth = 0;
    this.#inAction = true;
  }

  #lexComment() {
    const end = this.#source.indexOf('*/', this.#at + 2);
    if (end < 0) return this.#fail('unclosed comment');
    this.#at = end + 2;
    const delimiter = this.#rightDelimAt(this.#at);
    if (delimiter === undefined) return this.#fail('comment ends before closing delimiter');
    this.#leaveAction(delimiter);
  }

  /** Which right delimiter stands at `at`: with a trim marker before it or without; undefined for none. */
  #rightDelimAt(at: number): 'trim' | 'plain' | undefined {
    if (this.#source.startsWith(rightTrimDelim, at)) return 'trim';
    return this.#source.startsWith(rightDelim, at) ? 'plain' : undefined;
  }

  #leaveAction(delimiter: 'trim' | 'plain') {
    const trims = delimiter === 'trim';
    if (trims) this.#at += trimMarkerLength;
    if (this.#inAction) {
      this.#skip();
      this.#at += rightDelim.length;
      this.#emit('rightDelim');
    } else {
      this.#at += rightDelim.length;
    }
    if (trims) while (isSpace(this.#source[this.#at])) this.#at++;
    this.#skip();
    this.#inAction = false;
  }

  #lexAction() {
    const delimiter = this.#rightDelimAt(this.#at);
    if (delimiter !== undefined) {
      if (this.#parenDepth > 0) return this.#fail('unclosed left paren');
      return this.#leaveAction(delimiter);
    }
    const char = this.#source[this.#at];
    if (char === undefined || isLineEnd(char)) return this.#fail('unclosed action');
    if (isBlank(char)) return this.#lexSpace();
    const single = singleTokens[char];
    if (single !== undefined) {
      this.#at++;
      return this.#emit(single);
    }
    this.#lexTerm(char);
  }

  #lexTerm(char: string) {
    switch (char) {
      case ':':
        if (this.#source[this.#at + 1] !== '=') return this.#fail('expected :=');
        this.#at += 2;
        return this.#emit('declare');
      case '"':
      case "'":
        return this.#lexQuoted(char);
      case '`':
        return this.#lexRawString();
      case '(':
      case ')':
        return this.#lexParen(char);
      case '$':
        return this.#lexName('variable');
      case '.':
        if (!/[0-9]/.test(this.#source[this.#at + 1] ?? '0')) return this.#lexName('field');
        return this.#lexNumber();
    }
    if (/[-+0-9]/.test(char)) return this.#lexNumber();
    const rune = runeAt(this.#source, this.#at);
    if (isAlphaNumeric(rune.value)) return this.#lexWord();
    if (rune.value > 0x7e || rune.value < 0x20) {
      return this.#fail(`unrecognized character in action: ${describeRune(rune.value)}`);
    }
    this.#at++;
    this.#emit('char');
  }

  #lexSpace() {
    let count = 0;
    for (; isBlank(this.#source[this.#at]); this.#at++) count++;
    // The last space may belong to ` -}}`.
    if (this.#rightDelimAt(this.#at - 1) === 'trim') {
      this.#at--;
      if (count === 1) return this.#leaveAction('trim');
    }
    this.#emit('space');
  }

  #lexParen(char: string) {
    this.#at++;
    this.#emit(char === '(' ? 'leftParen' : 'rightParen');
    this.#parenDepth += char === '(' ? 1 : -1;
    if (this.#parenDepth < 0) this.#fail(`unexpected right paren ${describeRune(0x29)}`);
  }

  #lexQuoted(mark: string) {
    const what = mark === '"' ? 'quoted string' : 'character constant';
    for (this.#at++; this.#source[this.#at] !== mark; this.#at++) {
      if (this.#source[this.#at] === '\\') this.#at++;
      const char = this.#source[this.#at];
      if (char === undefined || char === '\n') return this.#fail(`unterminated ${what}`);
    }
    this.#at++;
    this.#emit(mark === '"' ? 'string' : 'character');
  }

  #lexRawString() {
    const end = this.#source.indexOf('`', this.#at + 1);
    if (end < 0) return this.#fail('unterminated raw quoted string');
    this.#at = end + 1;
    this.#emit('rawString');
  }

  #lexNumber() {
    const scanned = scanNumber(this.#source, this.#at, at => {
      const { value, size } = runeAt(this.#source, at);
      return isAlphaNumeric(value) ? size : 0;
    });
    this.#at = scanned.end;
    if (scanned.type !== undefined) return this.#emit(scanned.type);
    this.#fail(`bad number syntax: ${quote(this.#source.slice(this.#start, this.#at))}`);
  }

  /** Goes past letters and digits. */
  #takeName(): void {
    while (this.#at < this.#source.length) {
      const { value, size } = runeAt(this.#source, this.#at);
      if (!isAlphaNumeric(value)) return;
      this.#at += size;
    }
  }

  #atTerminator(): boolean {
    const char = this.#source[this.#at];
    return char === undefined || isSpace(char) || terminators.has(char);
  }

  #failAtCharacter() {
    this.#fail(`bad character ${describeRune(runeAt(this.#source, this.#at).value)}`);
  }

  /** A field or variable: its first character, then a name that may be empty. */
  #lexName(type: 'field' | 'variable') {
    this.#at++;
    if (this.#atTerminator()) return this.#emit(type === 'variable' ? 'variable' : 'dot');
    this.#takeName();
    if (!this.#atTerminator()) return this.#failAtCharacter();
    this.#emit(type);
  }

  #lexWord() {
    this.#takeName();
    if (!this.#atTerminator()) return this.#failAtCharacter();
    this.#emit(wordType(this.#source.slice(this.#start, this.#at)));
  }
}

const singleTokens: Record<string, TokenType> = { '=': 'assign', '|': 'pipe' };
