import { quote } from '../go/quote.ts';
import {
  type BranchNode,
  isEmptyList,
  type ListNode,
  type PipeNode,
  type Source,
  type StatementNode,
  type Template,
  type TemplateNode,
} from './node.ts';
import { PipelineParser } from './parse-pipeline.ts';
import { TokenReader } from './token-reader.ts';

/** Actions within one another, beyond which the sandbox gives up (Go goes on until its stack of 1 GB is full). */
const maxNesting = 500;

/** `{{end}}` or `{{else}}`: what closes a list of statements. */
interface Closing {
  readonly type: 'end' | 'else';
}

const isClosing = (node: StatementNode | Closing): node is Closing =>
  node.type === 'end' || node.type === 'else';

/** Reads one file's templates. https://pkg.go.dev/text/template#hdr-Actions */
class FileParser {
  readonly #source: Source;
  readonly #tokens: TokenReader;
  readonly #isFunction: (name: string) => boolean;
  readonly #templates: Map<string, Template>;
  #pipelines: PipelineParser;
  #nesting = 0;

  constructor(source: Source, isFunction: (name: string) => boolean) {
    this.#source = source;
    this.#isFunction = isFunction;
    this.#tokens = new TokenReader(source.name, source.text);
    this.#templates = new Map();
    this.#pipelines = new PipelineParser(this.#tokens, isFunction);
  }

  parse(): Map<string, Template> {
    const nodes: StatementNode[] = [];
    const { position } = this.#tokens.peek();
    while (this.#tokens.peek().type !== 'eof') {
      if (this.#parseDefinition()) continue;
      const node = this.#parseTextOrAction();
      if (isClosing(node)) this.#tokens.fail(`unexpected {{${node.type}}}`);
      nodes.push(node);
    }
    this.#add(this.#source.name, { type: 'list', position, nodes });
    return this.#templates;
  }

  /** A `define`, which is allowed at the top of a file only. */
  #parseDefinition(): boolean {
    const delimiter = this.#tokens.peek();
    if (delimiter.type !== 'leftDelim') return false;
    this.#tokens.next();
    const token = this.#tokens.nextNonSpace();
    if (token.type !== 'define') {
      this.#tokens.putBack(delimiter, token);
      return false;
    }
    this.#parseNested(() => {
      const context = 'define clause';
      const nameToken = this.#tokens.expect('string', context, 'rawString');
      const name = this.#pipelines.unquote(nameToken);
      this.#tokens.expect('rightDelim', context);
      const { list, closing } = this.#parseList();
      if (closing.type !== 'end') this.#tokens.fail(`unexpected {{${closing.type}}} in ${context}`);
      this.#add(name, list);
    });
    return true;
  }

  /** Reads a template within a file: it has variables of its own. */
  #parseNested(body: () => void): void {
    const outer = this.#pipelines;
    this.#pipelines = new PipelineParser(this.#tokens, this.#isFunction);
    body();
    this.#pipelines = outer;
  }

  #add(name: string, root: ListNode): void {
    const known = this.#templates.get(name);
    if (known === undefined || isEmptyList(known.root)) {
      this.#templates.set(name, { name, source: this.#source, root });
    } else if (!isEmptyList(root)) {
      this.#tokens.fail(`template: multiple definition of template ${quote(name)}`);
    }
  }

  #parseList(): { list: ListNode; closing: Closing } {
    if (this.#nesting >= maxNesting) this.#tokens.fail('actions are nested too deep');
    this.#nesting++;
    const { position } = this.#tokens.peekNonSpace();
    const nodes: StatementNode[] = [];
    while (this.#tokens.peekNonSpace().type !== 'eof') {
      const node = this.#parseTextOrAction();
      if (isClosing(node)) {
        this.#nesting--;
        return { list: { type: 'list', position, nodes }, closing: node };
      }
      nodes.push(node);
    }
    return this.#tokens.fail('unexpected EOF');
  }

  #parseTextOrAction(): StatementNode | Closing {
    const token = this.#tokens.nextNonSpace();
    if (token.type === 'text') return { type: 'text', position: token.position, text: token.value };
    if (token.type !== 'leftDelim') this.#tokens.unexpected(token, 'input');
    return this.#parseAction();
  }

  #parseAction(): StatementNode | Closing {
    const token = this.#tokens.nextNonSpace();
    switch (token.type) {
      case 'block':
        return this.#parseBlock();
      case 'else':
        if (this.#tokens.peekNonSpace().type !== 'if') this.#tokens.expect('rightDelim', 'else');
        return { type: 'else' };
      case 'end':
        this.#tokens.expect('rightDelim', 'end');
        return { type: 'end' };
      case 'if':
      case 'range':
      case 'with':
        return this.#parseBranch(token.type);
      case 'template':
        return this.#parseTemplate();
    }
    this.#tokens.putBack(token);
    return { type: 'action', position: token.position, pipe: this.#pipelines.parse('command') };
  }

  #parseBranch(type: BranchNode['type']): BranchNode {
    const scope = this.#pipelines.variables.length;
    const pipe = this.#pipelines.parse(type);
    const { list, closing } = this.#parseList();
    const elseList = closing.type === 'else' ? this.#parseElse(type) : undefined;
    this.#pipelines.variables.length = scope;
    return { type, position: pipe.position, pipe, list, elseList };
  }

  #parseElse(type: BranchNode['type']): ListNode {
    const next = this.#tokens.peek();
    if (type === 'if' && next.type === 'if') {
      // `{{else if}}` is an `if` within the `else`, closed by the same `end`.
      this.#tokens.next();
      if (this.#nesting >= maxNesting) this.#tokens.fail('actions are nested too deep');
      this.#nesting++;
      const node = this.#parseBranch('if');
      this.#nesting--;
      return { type: 'list', position: next.position, nodes: [node] };
    }
    const { list, closing } = this.#parseList();
    if (closing.type !== 'end') this.#tokens.fail(`expected end; found {{${closing.type}}}`);
    return list;
  }

  #parseName(context: string): { name: string; position: number } {
    const token = this.#tokens.expect('string', context, 'rawString');
    return { name: this.#pipelines.unquote(token), position: token.position };
  }

  #parseTemplate(): TemplateNode {
    const context = 'template clause';
    const { name, position } = this.#parseName(context);
    const token = this.#tokens.nextNonSpace();
    let pipe: PipeNode | undefined;
    if (token.type !== 'rightDelim') {
      this.#tokens.putBack(token);
      pipe = this.#pipelines.parse(context);
    }
    return { type: 'template', position, name, pipe };
  }

  /** `block` defines a template and runs it on the spot. */
  #parseBlock(): TemplateNode {
    const context = 'block clause';
    const { name, position } = this.#parseName(context);
    const pipe = this.#pipelines.parse(context);
    const { line } = this.#tokens;
    this.#parseNested(() => {
      const { list, closing } = this.#parseList();
      if (closing.type !== 'end') this.#tokens.fail(`unexpected {{${closing.type}}} in ${context}`, line);
      this.#add(name, list);
    });
    return { type: 'template', position, name, pipe };
  }
}

/**
 * Parses a file into its templates: the file itself, under its name, and what it defines.
 * @param isFunction tells which names are functions; any other is a syntax error
 * @throws TemplateSyntaxError
 */
export function parseTemplates(source: Source, isFunction: (name: string) => boolean): Map<string, Template> {
  return new FileParser(source, isFunction).parse();
}
