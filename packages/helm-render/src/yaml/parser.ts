import type { MappingNode, ScalarNode, SequenceNode, YamlNode } from './node.ts';
import { Scanner } from './scanner.ts';
import type { Token, TokenKind } from './token.ts';
import { parserError, scannerError, YamlError } from './yaml-error.ts';

const empty: ScalarNode = { kind: 'scalar', value: '', tag: '', plain: true };

const afterDocumentStart = new Set<TokenKind>([
  'version-directive',
  'tag-directive',
  'document-start',
  'document-end',
  'stream-end',
]);
const afterBlockKey = new Set<TokenKind>(['key', 'value', 'block-end']);
const afterBlockEntry = new Set<TokenKind>(['block-entry', 'block-end']);
const afterIndentlessEntry = new Set<TokenKind>(['block-entry', 'key', 'value', 'block-end']);
const afterPairKey = new Set<TokenKind>(['value', 'flow-entry', 'flow-sequence-end']);
const afterPairValue = new Set<TokenKind>(['flow-entry', 'flow-sequence-end']);
const afterFlowKey = new Set<TokenKind>(['value', 'flow-entry', 'flow-mapping-end']);
const afterFlowValue = new Set<TokenKind>(['flow-entry', 'flow-mapping-end']);

/** How a node may be written where it is expected. */
interface Place {
  /** In block context, where block collections may stand. */
  readonly block: boolean;
  /** Behind a key, where the `-` of a list need not be indented. */
  readonly indentless: boolean;
}

const inFlow: Place = { block: false, indentless: false };
const inSequence: Place = { block: true, indentless: false };
const inMapping: Place = { block: true, indentless: true };

/**
 * Reads the first document of a text; undefined where there is none. What follows it is not looked at, as in yaml.v2.
 * Throws YamlError with libyaml's words, also where lists and maps are nested more than `maxDepth` deep.
 */
export function parseDocument(text: string, maxDepth: number): YamlNode | undefined {
  return new Parser(text, maxDepth).parse();
}

class Parser {
  readonly #scanner: Scanner;
  readonly #maxDepth: number;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #tagPrefixes = new Map<string, string>();
  #depth = 0;

  constructor(text: string, maxDepth: number) {
    this.#scanner = new Scanner(text);
    this.#maxDepth = maxDepth;
  }

  parse(): YamlNode | undefined {
    if (this.#peekKind() === 'stream-end') return undefined;
    const directives = this.#readDirectives();
    const explicit = this.#take('document-start');
    if (directives && !explicit) {
      throw parserError('did not find expected <document start>', this.#scanner.peek().line, 0);
    }
    const node = explicit ? this.#parseUnless(afterDocumentStart, inSequence) : this.#parseNode(inSequence);
    // yaml.v2 looks one token past the document, so that an error of the scanner there counts.
    this.#scanner.peek();
    return node;
  }

  #peekKind(): TokenKind {
    return this.#scanner.peek().kind;
  }

  /** Takes the next token if it is of this kind. */
  #take(kind: TokenKind): boolean {
    if (this.#peekKind() !== kind) return false;
    this.#scanner.skip();
    return true;
  }

  #readDirectives(): boolean {
    let version = false;
    const handles = new Set<string>();
    for (let token = this.#scanner.peek(); token.kind.endsWith('directive'); token = this.#scanner.peek()) {
      if (token.kind === 'version-directive') {
        if (version) throw parserError('found duplicate %YAML directive', token.line, 0);
        if (token.value !== '1.1') throw parserError('found incompatible YAML document', token.line, 0);
        version = true;
      } else {
        const handle = token.handle ?? '';
        if (handles.has(handle)) throw parserError('found duplicate %TAG directive', token.line, 0);
        handles.add(handle);
        this.#tagPrefixes.set(handle, token.value);
      }
      this.#scanner.skip();
    }
    if (!handles.has('!')) this.#tagPrefixes.set('!', '!');
    if (!handles.has('!!')) this.#tagPrefixes.set('!!', 'tag:yaml.org,2002:');
    return version || handles.size > 0;
  }

  #parseNode(place: Place): YamlNode {
    const start = this.#scanner.peek();
    if (start.kind === 'alias') return this.#parseAlias(start);
    const { anchor, tag } = this.#parseProperties();
    const token = this.#scanner.peek();
    const collection = this.#collectionParser(token, place);
    if (collection !== undefined) return this.#parseCollection(collection, anchor);
    if (token.kind === 'scalar') {
      this.#scanner.skip();
      return this.#define(anchor, scalarNode(token, tag));
    }
    if (anchor !== undefined || tag !== '') {
      return this.#define(anchor, { kind: 'scalar', value: '', tag, plain: true });
    }
    throw parserError('did not find expected node content', token.line, start.line);
  }

  #parseAlias(token: Token): YamlNode {
    this.#scanner.skip();
    const target = this.#anchors.get(token.value);
    if (target === undefined) throw new YamlError(`unknown anchor '${token.value}' referenced`);
    return { kind: 'alias', name: token.value, target };
  }

  #define<T extends YamlNode>(anchor: string | undefined, node: T): T {
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return node;
  }

  /** An anchor and a tag, in either order. */
  #parseProperties(): { anchor: string | undefined; tag: string } {
    const start = this.#scanner.peek();
    let anchor: string | undefined;
    let tag: string | undefined;
    for (let token = start; ; token = this.#scanner.peek()) {
      if (token.kind === 'anchor' && anchor === undefined) anchor = token.value;
      else if (token.kind === 'tag' && tag === undefined) tag = this.#resolveTag(token, start.line);
      else return { anchor, tag: tag ?? '' };
      this.#scanner.skip();
    }
  }

  #resolveTag(token: Token, startLine: number): string {
    if (!token.handle) return token.value;
    const prefix = this.#tagPrefixes.get(token.handle);
    if (prefix === undefined) throw parserError('found undefined tag handle', token.line, startLine);
    return prefix + token.value;
  }

  #collectionParser(token: Token, place: Place): ((anchor: string | undefined) => YamlNode) | undefined {
    switch (token.kind) {
      case 'block-entry':
        return place.indentless ? anchor => this.#parseIndentlessSequence(anchor) : undefined;
      case 'flow-sequence-start':
        return anchor => this.#parseFlowSequence(anchor);
      case 'flow-mapping-start':
        return anchor => this.#parseFlowMapping(anchor);
      case 'block-sequence-start':
        return place.block ? anchor => this.#parseBlockSequence(anchor) : undefined;
      case 'block-mapping-start':
        return place.block ? anchor => this.#parseBlockMapping(anchor) : undefined;
      default:
        return undefined;
    }
  }

  #parseCollection(parse: (anchor: string | undefined) => YamlNode, anchor: string | undefined): YamlNode {
    const { line } = this.#scanner.peek();
    this.#depth++;
    if (this.#depth > this.#maxDepth) {
      throw scannerError(`exceeded max depth of ${this.#maxDepth}`, line, line);
    }
    const node = parse(anchor);
    this.#depth--;
    return node;
  }

  #parseUnless(ends: ReadonlySet<TokenKind>, place: Place): YamlNode {
    return ends.has(this.#peekKind()) ? empty : this.#parseNode(place);
  }

  #parseIndentlessSequence(anchor: string | undefined): SequenceNode {
    const node: SequenceNode = this.#define(anchor, { kind: 'sequence', items: [] });
    while (this.#take('block-entry')) node.items.push(this.#parseUnless(afterIndentlessEntry, inSequence));
    return node;
  }

  #parseBlockSequence(anchor: string | undefined): SequenceNode {
    const node: SequenceNode = this.#define(anchor, { kind: 'sequence', items: [] });
    const start = this.#open();
    while (this.#take('block-entry')) node.items.push(this.#parseUnless(afterBlockEntry, inSequence));
    this.#close('block-end', start, "did not find expected '-' indicator");
    return node;
  }

  #parseBlockMapping(anchor: string | undefined): MappingNode {
    const node: MappingNode = this.#define(anchor, { kind: 'mapping', entries: [] });
    const start = this.#open();
    while (this.#take('key')) {
      const key = this.#parseUnless(afterBlockKey, inMapping);
      const value = this.#take('value') ? this.#parseUnless(afterBlockKey, inMapping) : empty;
      node.entries.push([key, value]);
    }
    this.#close('block-end', start, 'did not find expected key');
    return node;
  }

  #parseFlowSequence(anchor: string | undefined): SequenceNode {
    const node: SequenceNode = this.#define(anchor, { kind: 'sequence', items: [] });
    const start = this.#open();
    while (this.#peekKind() !== 'flow-sequence-end') {
      if (node.items.length > 0) this.#separate(start, "did not find expected ',' or ']'");
      if (this.#take('key')) node.items.push(this.#parsePair());
      else if (this.#peekKind() !== 'flow-sequence-end') node.items.push(this.#parseNode(inFlow));
    }
    this.#scanner.skip();
    return node;
  }

  /** `[a: b]`: a mapping with one entry inside a list. */
  #parsePair(): MappingNode {
    const explicit = !afterPairKey.has(this.#peekKind());
    const key = explicit ? this.#parseNode(inFlow) : empty;
    // Without a key libyaml drops a token here, whatever it is.
    if (!explicit) this.#scanner.skip();
    const value = this.#take('value') ? this.#parseUnless(afterPairValue, inFlow) : empty;
    return { kind: 'mapping', entries: [[key, value]] };
  }

  #parseFlowMapping(anchor: string | undefined): MappingNode {
    const node: MappingNode = this.#define(anchor, { kind: 'mapping', entries: [] });
    const start = this.#open();
    while (this.#peekKind() !== 'flow-mapping-end') {
      if (node.entries.length > 0) this.#separate(start, "did not find expected ',' or '}'");
      if (this.#take('key')) {
        const key = this.#parseUnless(afterFlowKey, inFlow);
        const value = this.#take('value') ? this.#parseUnless(afterFlowValue, inFlow) : empty;
        node.entries.push([key, value]);
      } else if (this.#peekKind() !== 'flow-mapping-end') {
        node.entries.push([this.#parseNode(inFlow), empty]);
      }
    }
    this.#scanner.skip();
    return node;
  }

  /** Takes the token that begins a collection; gives its line. */
  #open(): number {
    const { line } = this.#scanner.peek();
    this.#scanner.skip();
    return line;
  }

  #close(kind: TokenKind, startLine: number, problem: string): void {
    if (!this.#take(kind)) throw parserError(problem, this.#scanner.peek().line, startLine);
  }

  #separate(startLine: number, problem: string): void {
    this.#close('flow-entry', startLine, problem);
  }
}

function scalarNode(token: Token, tag: string): ScalarNode {
  // a lone `!` is no type that yaml.v2 knows, so that it keeps the text
  const plain = tag === '' && token.plain === true;
  return { kind: 'scalar', value: token.value, tag: tag === '!' ? '' : tag, plain };
}
