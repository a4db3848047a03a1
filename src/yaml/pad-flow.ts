/**
 * libyaml lets the lines of flow collections and quoted scalars be indented less than what is around them, YAML 1.2 does
 * not; real charts have closing brackets at the start of a line. Such lines are indented by the column of the bracket or
 * quote, which changes no value and no line number.
 */
export interface PaddedText {
  readonly text: string;
  /** Where spaces were put in. What the search below mistakes for a flow collection shows by these. */
  readonly padded: readonly number[];
}

const indicators = /(?: *[-?:](?= ))* */y;
const properties = /(?:[&!][^\s,[\]{}]+ +)*/y;
const blockScalar = /[|>][-+0-9]*[ \t]*(?:#.*)?$/my;
const plainKey = /[^\s#'"[\]{}|>,][^:#\r\n]*:(?= )/y;
const colon = /[ \t]*:(?= )/y;
const restOfLine = /[^\r\n]*(?:\r\n?|\n|$)/y;
const quoted = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|'[^']*(?:''[^']*)*'?/y;
/** A comment, a bracket or a plain scalar of a flow collection, or a character between them. */
const flowToken =
  /#[^\r\n]*|[[\]{}]|[^\s"'#[\]{},:](?:[^\s[\]{},:]+|:(?=[^\s[\]{},])|[ \t]+(?![\s#]))*|[\s\S]/y;

/** Only called for a text that the parser has refused; undefined where there is nothing to change. */
export function padFlow(text: string): PaddedText | undefined {
  const padder = new Padder(text);
  const padded = padder.run();
  return padded.padded.length > 0 ? padded : undefined;
}

class Padder {
  readonly #text: string;
  readonly #padded: number[] = [];
  #at = 0;
  #copied = 0;
  #out = '';

  constructor(text: string) {
    this.#text = text;
  }

  run(): PaddedText {
    while (this.#at < this.#text.length) this.#line();
    return { text: this.#out + this.#text.slice(this.#copied), padded: this.#padded };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }

  /** Goes over one line of block context, and over the lines of what begins on it. */
  #line(): void {
    const start = this.#at;
    this.#take(indicators);
    const column = this.#at - start;
    this.#take(properties);
    let hasKey = false;
    for (let isKey = true; isKey; ) {
      isKey = this.#takeNode(this.#at - start) ? this.#take(colon) !== '' : this.#take(plainKey) !== '';
      hasKey ||= isKey;
      this.#take(indicators);
      this.#take(properties);
    }
    const isBlock = this.#take(blockScalar) !== '';
    this.#take(restOfLine);
    if (isBlock) this.#skipDeeperLines(hasKey ? column : column - 2);
  }

  #skipDeeperLines(parent: number): void {
    const deeper = new RegExp(`(?: *(?:[\\r\\n]|$)| {${Math.max(0, parent + 1)}})`, 'y');
    while (this.#at < this.#text.length) {
      deeper.lastIndex = this.#at;
      if (!deeper.test(this.#text)) return;
      this.#take(restOfLine);
    }
  }

  /** Goes over a quoted scalar or a flow collection, and indents its lines; false where none begins. */
  #takeNode(column: number): boolean {
    const start = this.#at;
    if (this.#take(quoted) === '') this.#takeFlow();
    const node = this.#text.slice(start, this.#at);
    for (const { 0: match, 1: spaces = '', index } of node.matchAll(/(?:\r\n?|\n)( *)(?=[^\r\n])/g)) {
      if (spaces.length >= column) continue;
      const end = start + index + match.length;
      this.#out += this.#text.slice(this.#copied, end);
      this.#copied = end;
      this.#padded.push(this.#out.length);
      this.#out += ' '.repeat(column - spaces.length);
    }
    return node !== '';
  }

  #takeFlow(): void {
    if (!/[[{]/.test(this.#text[this.#at] ?? '')) return;
    for (let depth = 0; this.#at < this.#text.length; ) {
      const token = this.#take(quoted) || this.#take(flowToken);
      if (token === '[' || token === '{') depth++;
      else if ((token === ']' || token === '}') && --depth === 0) return;
    }
  }
}
