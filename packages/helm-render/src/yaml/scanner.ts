import { isBlank, isBlankOrEnd, isBreak, isBreakOrEnd } from './chars.ts';
import { Cursor } from './cursor.ts';
import { scanBlock } from './scan-block.ts';
import { scanPlain } from './scan-plain.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-property.ts';
import { scanQuoted } from './scan-quoted.ts';
import type { Token, TokenKind } from './token.ts';
import { scannerError } from './yaml-error.ts';

/** A place where a key without `?` may have begun: only the `:` behind it tells. */
interface SimpleKey {
  readonly line: number;
  readonly column: number;
  readonly position: number;
  /** The number of the token it would go before. */
  readonly tokenNumber: number;
  /** In block context at the indentation of the mapping: it can be nothing else. */
  readonly required: boolean;
}

/** A simple key ends on its line and within 1,024 characters (YAML 1.1, section 7.4). */
const maxSimpleKeyLength = 1024;

const flowIndicators: ReadonlyMap<number, TokenKind> = new Map([
  [0x5b, 'flow-sequence-start'],
  [0x7b, 'flow-mapping-start'],
  [0x5d, 'flow-sequence-end'],
  [0x7d, 'flow-mapping-end'],
]);

/** Indicators that start no plain scalar: `- ? : , [ ] { } # & * ! | > ' " % @` and the backtick. */
const indicators = new Set([...'-?:,[]{}#&*!|>\'"%@`'].map(c => c.charCodeAt(0)));

/**
 * Divides a text into tokens as libyaml does, whose Go translation is yaml.v2: block structure becomes start and end
 * tokens by indentation, and a key without `?` gets its `key` token when its `:` is met. Errors carry libyaml's words,
 * and are thrown by the call that would have given the next token.
 */
export class Scanner {
  readonly #cursor: Cursor;
  /** Tokens read ahead; `#head` is the next to hand out and `#taken` its number. */
  #tokens: Token[] = [];
  #head = 0;
  #taken = 0;
  #ended = false;
  /** The column of the innermost block collection; -1 outside any. */
  #indent = -1;
  readonly #indents: number[] = [];
  /** The open simple key of each flow level; the first is that of block context. */
  readonly #keys: (SimpleKey | undefined)[] = [undefined];
  readonly #keyByToken = new Map<number, SimpleKey>();
  /** For each flow level above 0 the number of its last key's token, or of its own first token. */
  readonly #lastKeyTokens: number[] = [];
  #keyAllowed = true;

  constructor(text: string) {
    // The encoding's mark is no part of the first line; a second one is, and is skipped as white space.
    this.#cursor = new Cursor(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
    if (this.#cursor.peek() === 0xfeff) this.#cursor.skip();
  }

  /** The next token, left in place. */
  peek(): Token {
    // At the end too the next token may turn out to be a key whose `:` is missing.
    while (this.#needsMore() && !this.#ended) this.#fetch();
    return this.#tokens[this.#head]!;
  }

  /** Takes the token that `peek` gave. */
  skip(): void {
    this.#head++;
    this.#taken++;
    if (this.#head > 256) {
      this.#tokens = this.#tokens.slice(this.#head);
      this.#head = 0;
    }
  }

  get #flowLevel(): number {
    return this.#keys.length - 1;
  }

  /** The number of the next token to be read. */
  get #nextTokenNumber(): number {
    return this.#taken + this.#tokens.length - this.#head;
  }

  /** Whether the next token is not known yet: none is there, or it may still turn out to be a key. */
  #needsMore(): boolean {
    if (this.#head === this.#tokens.length) return true;
    const key = this.#keyByToken.get(this.#taken);
    return key !== undefined && this.#isLive(key);
  }

  /** Whether a `:` here would still belong to the key. Throws where it had to be one. */
  #isLive(key: SimpleKey): boolean {
    const { line, position } = this.#cursor;
    if (key.line === line && key.position + maxSimpleKeyLength >= position) return true;
    if (key.required) throw this.#missingColon(key);
    this.#forget(key);
    return false;
  }

  #missingColon(key: SimpleKey): Error {
    return scannerError("could not find expected ':'", this.#cursor.line, key.line);
  }

  #forget(key: SimpleKey): void {
    this.#keyByToken.delete(key.tokenNumber);
    const level = this.#keys.indexOf(key);
    if (level >= 0) this.#keys[level] = undefined;
  }

  #saveKey(): void {
    if (!this.#keyAllowed) return;
    this.#removeKey();
    const { line, column, position } = this.#cursor;
    const key: SimpleKey = {
      line,
      column,
      position,
      tokenNumber: this.#nextTokenNumber,
      required: this.#flowLevel === 0 && this.#indent === column,
    };
    this.#keys[this.#keys.length - 1] = key;
    if (this.#flowLevel > 0) this.#lastKeyTokens[this.#flowLevel - 1] = key.tokenNumber;
    this.#keyByToken.set(key.tokenNumber, key);
  }

  #removeKey(): void {
    const key = this.#keys[this.#keys.length - 1];
    if (key === undefined) return;
    if (key.required) throw this.#missingColon(key);
    this.#keyByToken.delete(key.tokenNumber);
    this.#keys[this.#keys.length - 1] = undefined;
  }

  #push(kind: TokenKind): void {
    this.#tokens.push({ kind, line: this.#cursor.line, value: '' });
  }

  /** Opens a block collection when this column is deeper than the one around it. */
  #roll(column: number, kind: TokenKind, before?: SimpleKey): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    const line = before?.line ?? this.#cursor.line;
    this.#insert({ kind, line, value: '' }, before);
  }

  #insert(token: Token, before?: SimpleKey): void {
    const ahead = before === undefined ? -1 : before.tokenNumber - this.#taken;
    if (ahead < 0) this.#tokens.push(token);
    else this.#tokens.splice(this.#head + ahead, 0, token);
  }

  /** Closes the block collections that are deeper than this column. */
  #unroll(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#push('block-end');
      this.#indent = this.#indents.pop()!;
    }
  }

  #fetch(): void {
    const cursor = this.#cursor;
    this.#skipToToken();
    this.#unroll(cursor.column);
    const c = cursor.peek();
    const flow = flowIndicators.get(c);
    if (cursor.atEnd) this.#fetchEnd();
    else if (cursor.column === 0 && c === 0x25) this.#fetchDirective();
    else if (cursor.atDocumentIndicator()) this.#fetchDocument(c);
    else if (flow !== undefined) this.#fetchFlow(flow);
    else if (c === 0x2c) this.#fetchFlowEntry();
    else if (this.#isBlockIndicator(c)) this.#fetchBlockIndicator(c);
    else if ((c === 0x7c || c === 0x3e) && this.#flowLevel === 0) this.#fetchBlockScalar();
    else this.#fetchContent(c);
  }

  #cannotStart(): Error {
    const { line } = this.#cursor;
    return scannerError('found character that cannot start any token', line, line);
  }

  #skipToToken(): void {
    const cursor = this.#cursor;
    for (;;) {
      const tabs = this.#flowLevel > 0 || !this.#keyAllowed;
      while (cursor.peek() === 0x20 || (tabs && cursor.peek() === 0x09)) cursor.skip();
      if (cursor.peek() === 0x23) while (!isBreakOrEnd(cursor.peek())) cursor.skip();
      if (!isBreak(cursor.peek())) return;
      cursor.readBreak();
      if (this.#flowLevel === 0) this.#keyAllowed = true;
    }
  }

  #fetchEnd(): void {
    // The end counts as a line of its own, as if the text ended with a line break.
    if (this.#cursor.column !== 0) this.#cursor.startLine();
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    this.#push('stream-end');
    this.#ended = true;
  }

  #fetchDirective(): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    this.#tokens.push(scanDirective(this.#cursor));
  }

  #fetchDocument(c: number): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    this.#push(c === 0x2d ? 'document-start' : 'document-end');
    this.#cursor.skip(3);
  }

  #fetchFlow(kind: TokenKind): void {
    const opens = kind.endsWith('start');
    if (opens) {
      this.#saveKey();
      this.#keys.push(undefined);
      this.#lastKeyTokens.push(this.#nextTokenNumber);
    } else {
      this.#removeKey();
      if (this.#flowLevel > 0) this.#closeFlowLevel();
    }
    this.#keyAllowed = opens;
    this.#push(kind);
    this.#cursor.skip();
  }

  /** An empty collection takes the key that it might be itself out of the lookup: yaml.v2 gives both the same number. */
  #closeFlowLevel(): void {
    this.#keys.pop();
    this.#keyByToken.delete(this.#lastKeyTokens.pop()!);
  }

  #fetchFlowEntry(): void {
    this.#removeKey();
    this.#keyAllowed = true;
    this.#push('flow-entry');
    this.#cursor.skip();
  }

  /** `-`, `?` and `:` where white space follows (or, but for `-`, in a flow collection). */
  #isBlockIndicator(c: number): boolean {
    if (c !== 0x2d && c !== 0x3f && c !== 0x3a) return false;
    return isBlankOrEnd(this.#cursor.peek(1)) || (c !== 0x2d && this.#flowLevel > 0);
  }

  #fetchBlockIndicator(c: number): void {
    if (c === 0x2d) this.#fetchBlockEntry();
    else if (c === 0x3f) this.#fetchKey();
    else this.#fetchValue();
    this.#cursor.skip();
  }

  #fetchBlockEntry(): void {
    if (this.#flowLevel === 0) {
      this.#requireKeyAllowed('block sequence entries');
      this.#roll(this.#cursor.column, 'block-sequence-start');
    }
    this.#removeKey();
    this.#keyAllowed = true;
    this.#push('block-entry');
  }

  #fetchKey(): void {
    if (this.#flowLevel === 0) {
      this.#requireKeyAllowed('mapping keys');
      this.#roll(this.#cursor.column, 'block-mapping-start');
    }
    this.#removeKey();
    this.#keyAllowed = this.#flowLevel === 0;
    this.#push('key');
  }

  #fetchValue(): void {
    const key = this.#keys[this.#keys.length - 1];
    if (key !== undefined && this.#isLive(key)) {
      this.#insert({ kind: 'key', line: key.line, value: '' }, key);
      this.#roll(key.column, 'block-mapping-start', key);
      this.#forget(key);
      this.#keyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        this.#requireKeyAllowed('mapping values');
        this.#roll(this.#cursor.column, 'block-mapping-start');
      }
      this.#keyAllowed = this.#flowLevel === 0;
    }
    this.#push('value');
  }

  #requireKeyAllowed(what: string): void {
    const { line } = this.#cursor;
    if (!this.#keyAllowed) throw scannerError(`${what} are not allowed in this context`, line, line);
  }

  #fetchBlockScalar(): void {
    this.#removeKey();
    this.#keyAllowed = true;
    const { line } = this.#cursor;
    this.#tokens.push({ kind: 'scalar', line, value: scanBlock(this.#cursor, this.#indent) });
  }

  /** Aliases, anchors, tags and scalars in the line, each of which may begin a simple key. */
  #fetchContent(c: number): void {
    const cursor = this.#cursor;
    const { line } = cursor;
    if (c === 0x2a || c === 0x26) {
      this.#beginContent();
      this.#tokens.push(scanAnchor(cursor, c === 0x2a ? 'alias' : 'anchor'));
    } else if (c === 0x21) {
      this.#beginContent();
      this.#tokens.push(scanTag(cursor));
    } else if (c === 0x27 || c === 0x22) {
      this.#beginContent();
      this.#tokens.push({ kind: 'scalar', line, value: scanQuoted(cursor) });
    } else if (this.#startsPlain(c)) {
      this.#beginContent();
      const { value, endsLine } = scanPlain(cursor, this.#indent + 1, this.#flowLevel > 0);
      this.#tokens.push({ kind: 'scalar', line, value, plain: true });
      if (endsLine) this.#keyAllowed = true;
    } else {
      throw this.#cannotStart();
    }
  }

  #beginContent(): void {
    this.#saveKey();
    this.#keyAllowed = false;
  }

  #startsPlain(c: number): boolean {
    if (!isBlank(c) && !indicators.has(c)) return true;
    const next = this.#cursor.peek(1);
    if (c === 0x2d) return !isBlank(next);
    return this.#flowLevel === 0 && (c === 0x3f || c === 0x3a) && !isBlankOrEnd(next);
  }
}
