/**
 * What libyaml allows and YAML 1.2 does not: lines of flow collections and quoted scalars that are indented less than
 * what is around them, a comment directly behind a closing quote or bracket, a tab before a flow collection, a dash as an
 * item of one, and `\'` in double quotes. Real charts have all of them. The text comes back with white space put in or replaced, which changes no
 * value there, and with its line numbers kept.
 */
export interface RelaxedText {
  readonly text: string;
  /** Where the text was changed. None of these places may be in a block scalar or in a plain one of block context. */
  readonly changes: readonly number[];
}

/** Only called for a text that the parser has refused; undefined where there is nothing to change. */
export function relaxFlow(text: string): RelaxedText | undefined {
  return new Relaxer(text).run();
}

const blanks = /[ \t]*/y;
const blockScalar = /[|>][-+0-9]*[ \t]*(?:#.*)?$/my;
const property = /[&!][^\s,[\]{}]*/y;
const indicator = /[-?:](?=\s|$)/y;
/** A plain scalar up to its `: `, its comment or the end of its line. */
const plain = /(?:[^\s:#]|:(?=\S)|(?<=\S)#|[ \t]+(?![\s#]|$))+/my;
/** A scalar in a flow collection that is a dash and no more. */
const loneDash = /-(?=[,\]}])/y;
const restOfLine = /[^\r\n]*/y;
const lineBreak = /\r\n?|\n/y;

class Relaxer {
  readonly #text: string;
  readonly #changes: number[] = [];
  #at = 0;
  #copied = 0;
  #out = '';
  /** The columns of the block collections around the current node, the innermost last. */
  readonly #columns: number[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): RelaxedText | undefined {
    while (this.#at < this.#text.length) this.#line();
    if (this.#changes.length === 0) return undefined;
    return { text: this.#out + this.#text.slice(this.#copied), changes: this.#changes };
  }

  /** The column of the innermost block collection; -1 at the top. */
  get #parent(): number {
    return this.#columns.at(-1) ?? -1;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }

  /** Puts a text in here, in place of so many characters. */
  #put(added: string, replaced = 0): void {
    this.#out += this.#text.slice(this.#copied, this.#at);
    this.#changes.push(this.#out.length);
    this.#out += added;
    this.#at += replaced;
    this.#copied = this.#at;
  }

  /** Goes over one line of block context, and over the lines of what begins on it. */
  #line(): void {
    const start = this.#at;
    // `---` is no entry of a list
    if (this.#text.startsWith('---', start)) this.#at += 3;
    this.#take(blanks);
    while (this.#parent >= this.#at - start) this.#columns.pop();
    for (let isKey = false; ; isKey = true) {
      const column = this.#indicators(start, isKey);
      const place = this.#node();
      if (place === 'next line') return;
      if (place === 'behind it' && this.#text[this.#at] === '#') this.#put(' ');
      if (place === 'end of line' || !this.#colonFollows()) {
        this.#skipLine();
        return;
      }
      this.#columns.push(column);
    }
  }

  /** Steps over indicators, anchors and tags; gives the column where the node begins. */
  #indicators(lineStart: number, isKey: boolean): number {
    let column = -1;
    let behindKey = isKey;
    for (;;) {
      this.#replaceTabs();
      const here = this.#at - lineStart;
      if (this.#take(indicator) !== '') {
        // A `:` behind a key belongs to the mapping that the key began.
        if (!behindKey) this.#columns.push(here);
        behindKey = false;
        column = -1;
      } else {
        if (column < 0) column = here;
        if (this.#take(property) === '') return column;
      }
    }
  }

  #replaceTabs(): void {
    const start = this.#at;
    const taken = this.#take(blanks);
    if (!taken.includes('\t') || !/[[{"'!&]/.test(this.#text[this.#at] ?? '')) return;
    this.#at = start;
    this.#put(' '.repeat(taken.length), taken.length);
  }

  #node(): 'behind it' | 'end of line' | 'next line' {
    const c = this.#text[this.#at];
    if (c === '[' || c === '{') this.#flow();
    else if (c === '"' || c === "'") this.#quoted();
    else if (this.#take(blockScalar) !== '') return this.#skipDeeperLines();
    else if (this.#take(plain) === '') return 'end of line';
    else if (!this.#colonFollows()) return this.#skipDeeperLines();
    return 'behind it';
  }

  #colonFollows(): boolean {
    const position = this.#at;
    this.#take(blanks);
    const follows = this.#take(indicator) === ':';
    this.#at = position;
    return follows;
  }

  #skipLine(): void {
    this.#take(restOfLine);
    this.#take(lineBreak);
  }

  /** To the end of a block scalar or a plain one: over all lines that are empty or deeper than the collection around. */
  #skipDeeperLines(): 'next line' {
    do this.#skipLine();
    while (this.#at < this.#text.length && this.#isDeeper());
    return 'next line';
  }

  #isDeeper(): boolean {
    let column = 0;
    while (this.#text[this.#at + column] === ' ') column++;
    return column > this.#parent || /[\r\n]/.test(this.#text[this.#at + column] ?? '\n');
  }

  #flow(): void {
    let depth = 0;
    let inPlain = false;
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (c === '\n' || c === '\r') this.#breakLine();
      else if (c === '#' && (!inPlain || /\s/.test(this.#text[this.#at - 1]!))) this.#comment();
      else if (!inPlain && this.#wholeScalar(c)) continue;
      else {
        if (c === '[' || c === '{') depth++;
        if (c === ']' || c === '}') depth--;
        inPlain = this.#isInPlain(c, inPlain);
        this.#at++;
        if (depth === 0) return;
      }
    }
  }

  /** Whether what follows this character of a flow collection belongs to a plain scalar. */
  #isInPlain(c: string, wasInPlain: boolean): boolean {
    if (c === ':' && (!wasInPlain || /\s/.test(this.#text[this.#at + 1] ?? ' '))) return false;
    return !/[,[\]{}]/.test(c) && (wasInPlain || !/[ \t]/.test(c));
  }

  /** Steps over a quoted scalar, or one that is a dash, which is quoted then; false where none begins. */
  #wholeScalar(c: string): boolean {
    if (c === '"' || c === "'") this.#quoted();
    else if (this.#take(loneDash) === '') return false;
    else {
      this.#at--;
      this.#put('"-"', 1);
    }
    return true;
  }

  #comment(): void {
    if (!/\s/.test(this.#text[this.#at - 1]!)) this.#put(' ');
    this.#take(restOfLine);
  }

  #quoted(): void {
    const quote = this.#text[this.#at++];
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at]!;
      if (c === '\n' || c === '\r') {
        this.#breakLine();
        continue;
      }
      const next = this.#text[this.#at + 1] ?? '';
      if (c === '\\' && quote === '"') {
        if (next === "'") this.#put('', 1);
        else if (!/[\r\n]/.test(next)) this.#at++;
      } else if (c === quote) {
        if (quote === '"' || next !== "'") {
          this.#at++;
          return;
        }
        this.#at++;
      }
      this.#at++;
    }
  }

  /** Steps to the next line and indents it deeper than the collection around, where it is not and is not empty. */
  #breakLine(): void {
    this.#take(lineBreak);
    if (!this.#isDeeper()) this.#put(' '.repeat(this.#parent + 1));
  }
}
