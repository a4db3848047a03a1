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

/** The line of an offset, from 1. */
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
