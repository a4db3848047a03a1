/**
 * What is wrong with a YAML text. Stays inside this room: the public functions turn it into a GatewayError with the
 * prefix of the Go function they stand for.
 */
export class YamlError extends Error {
  override readonly name = 'YamlError';

  readonly problem: string;
  /** From 1; undefined where the whole text is meant. */
  readonly line: number | undefined;

  constructor(problem: string, line?: number) {
    super(line === undefined ? problem : `line ${line}: ${problem}`);
    this.problem = problem;
    this.line = line;
  }
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (const match of text.matchAll(/\r\n?|\n/g)) {
    if (match.index >= offset) break;
    line++;
  }
  return line;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that YAML forbids
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

/** Comments, directives and empty lines before a document. */
const headLine = /(?:[ \t]*(?:#[^\r\n]*)?|(%)[^\r\n]*)(?:\r\n?|\n|$)/y;
const directive = /%(?:YAML|TAG)[ \t]/y;
const marker = /^(?:---|\.\.\.)(?:[ \t]|$)/gm;

/**
 * The first document of a text, whose end is `---` or `...` at the start of a line; what follows is not looked at, as
 * in yaml.v2. The byte order mark is dropped, and NEL becomes the line break that it is in YAML 1.1.
 * @throws YamlError on characters that YAML forbids (YAML 1.1, section 5.1) and on directives that it does not know
 */
export function firstDocument(given: string): string {
  if (!given.isWellFormed()) throw new YamlError('invalid Unicode character');
  if (forbidden.test(given)) throw new YamlError('control characters are not allowed');
  // A second mark is skipped as white space.
  let text = given.replace(/^\ufeff{1,2}/, '');
  if (text.includes('\x85')) text = text.replaceAll('\x85', '\n');
  if (/^\ufeff/m.test(text)) throw new YamlError('a byte order mark at the start of a line');
  // js-yaml would take an indented one on the first line for a start of the document
  if (/^[ \t]+---(?:\s|$)/.test(text)) throw new YamlError('did not find expected key', 1);
  const start = endOfHead(text);
  marker.lastIndex = start;
  const first = marker.exec(text);
  if (first?.index === start && text[start] === '.') {
    throw new YamlError('did not find expected node content', lineAt(text, start));
  }
  const end = first?.index === start ? marker.exec(text) : first;
  return end ? text.slice(0, end.index) : text;
}

function endOfHead(text: string): number {
  let position = 0;
  while (position < text.length) {
    headLine.lastIndex = position;
    const match = headLine.exec(text);
    if (!match) break;
    directive.lastIndex = position;
    if (match[1] && !directive.test(text)) {
      throw new YamlError('found unknown directive name', lineAt(text, position));
    }
    position = headLine.lastIndex;
  }
  return position;
}

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
