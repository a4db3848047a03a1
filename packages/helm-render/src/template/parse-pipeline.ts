import { quote, unquote } from '../go/quote.ts';
import type {
  ChainNode,
  CommandNode,
  FieldNode,
  NumberConstant,
  OperandNode,
  PipeNode,
  VariableNode,
} from './node.ts';
import { nodeText } from './node-text.ts';
import {
  NumberSyntaxError,
  parseCharacterConstant,
  parseComplexConstant,
  parseNumberConstant,
} from './number-constant.ts';
import type { Token, TokenType } from './token.ts';
import { describeToken, type TokenReader } from './token-reader.ts';

/** Parenthesised pipelines within one another, beyond which the sandbox gives up. */
const maxNesting = 500;

/** What may begin a command. */
const operandTypes: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'character',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);

/** A later command of a pipeline is called with a value, so it cannot be one of these. */
const constantTypes: ReadonlySet<string> = new Set(['bool', 'dot', 'nil', 'number', 'string']);

const numberParsers: Partial<Record<TokenType, (text: string) => NumberConstant>> = {
  character: parseCharacterConstant,
  complex: parseComplexConstant,
  number: parseNumberConstant,
};

function splitFields(chain: string): string[] {
  return chain.split('.').slice(1);
}

/** Reads pipelines: what stands inside the delimiters. https://pkg.go.dev/text/template#hdr-Pipelines */
export class PipelineParser {
  readonly #tokens: TokenReader;
  readonly #isFunction: (name: string) => boolean;
  /** Names of the variables in scope, innermost last. */
  variables: string[] = ['$'];
  #nesting = 0;

  constructor(tokens: TokenReader, isFunction: (name: string) => boolean) {
    this.#tokens = tokens;
    this.#isFunction = isFunction;
  }

  /**
   * Reads up to the right delimiter, or up to a right parenthesis, which comes next then.
   * @param context what the pipeline is for, as error texts name it
   */
  parse(context: string): PipeNode {
    const { position } = this.#tokens.peekNonSpace();
    const declarations = this.#parseDeclarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#tokens.nextNonSpace();
      if (token.type === 'rightDelim') break;
      if (token.type === 'rightParen') {
        this.#tokens.putBack(token); // whose it is, the caller knows
        break;
      }
      if (!operandTypes.has(token.type)) this.#tokens.unexpected(token, context);
      this.#tokens.putBack(token);
      commands.push(this.#parseCommand());
    }
    this.#checkCommands(commands, context);
    return { type: 'pipe', position, ...declarations, commands };
  }

  #checkCommands(commands: CommandNode[], context: string): void {
    if (commands.length === 0) this.#tokens.fail(`missing value for ${context}`);
    commands.forEach((command, index) => {
      if (index > 0 && constantTypes.has(command.args[0]!.type)) {
        this.#tokens.fail(`non executable command in pipeline stage ${index + 1}`);
      }
    });
  }

  #parseDeclarations(context: string): { isAssign: boolean; variables: VariableNode[] } {
    const variables: VariableNode[] = [];
    for (;;) {
      const name = this.#tokens.peekNonSpace();
      if (name.type !== 'variable') break;
      this.#tokens.next();
      const after = this.#tokens.peek();
      const next = this.#tokens.peekNonSpace();
      if (next.type === 'assign' || next.type === 'declare') {
        this.#tokens.nextNonSpace();
        variables.push(this.#declare(name));
        return { isAssign: next.type === 'assign', variables };
      }
      if (next.type === 'char' && next.value === ',') {
        this.#tokens.nextNonSpace();
        variables.push(this.#declare(name));
        this.#checkSecondVariable(context, variables.length);
        continue;
      }
      this.#tokens.putBack(...(after.type === 'space' ? [name, after] : [name]));
      break;
    }
    return { isAssign: false, variables };
  }

  #declare(token: Token): VariableNode {
    this.variables.push(token.value);
    return { type: 'variable', position: token.position, name: token.value, fields: [] };
  }

  /** Only `range $k, $v` has two variables. */
  #checkSecondVariable(context: string, count: number): void {
    if (context !== 'range' || count > 1) this.#tokens.fail(`too many declarations in ${context}`);
    const next = this.#tokens.peekNonSpace().type;
    if (next !== 'variable' && next !== 'rightDelim' && next !== 'rightParen') {
      this.#tokens.fail('range can only initialize variables');
    }
  }

  /** Operands separated by spaces, up to a pipe or the pipeline's end. */
  #parseCommand(): CommandNode {
    const { position } = this.#tokens.peekNonSpace();
    const args: OperandNode[] = [];
    for (;;) {
      this.#tokens.peekNonSpace();
      const operand = this.#parseOperand();
      if (operand) args.push(operand);
      const token = this.#tokens.next();
      if (token.type === 'space') continue;
      if (token.type === 'error') this.#tokens.fail(token.value);
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.#tokens.putBack(token);
      else if (token.type !== 'pipe') this.#tokens.unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) this.#tokens.fail('empty command');
    return { type: 'command', position, args };
  }

  /** A term and the fields that follow it without a space. */
  #parseOperand(): OperandNode | undefined {
    const term = this.#parseTerm();
    if (term === undefined || this.#tokens.peek().type !== 'field') return term;
    const { position } = this.#tokens.peek();
    const fields: string[] = [];
    while (this.#tokens.peek().type === 'field') fields.push(...splitFields(this.#tokens.next().value));
    return this.#withFields(term, position, fields);
  }

  #withFields(term: OperandNode, position: number, fields: string[]): FieldNode | VariableNode | ChainNode {
    switch (term.type) {
      case 'field':
        return { type: 'field', position, fields: [...term.fields, ...fields] };
      case 'variable':
        return { type: 'variable', position, name: term.name, fields: [...term.fields, ...fields] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#tokens.fail(`unexpected . after term ${quote(nodeText(term))}`);
      default:
        return { type: 'chain', position, operand: term, fields };
    }
  }

  #parseTerm(): OperandNode | undefined {
    const token = this.#tokens.nextNonSpace();
    const { position, value } = token;
    switch (token.type) {
      case 'error':
        return this.#tokens.fail(value);
      case 'identifier':
        if (!this.#isFunction(value)) this.#tokens.fail(`function ${quote(value)} not defined`);
        return { type: 'identifier', position, name: value };
      case 'dot':
      case 'nil':
        return { type: token.type, position };
      case 'variable':
        if (!this.variables.includes(value)) this.#tokens.fail(`undefined variable ${quote(value)}`);
        return { type: 'variable', position, name: value, fields: [] };
      case 'field':
        return { type: 'field', position, fields: splitFields(value) };
      case 'bool':
        return { type: 'bool', position, value: value === 'true' };
      case 'character':
      case 'complex':
      case 'number':
        return { type: 'number', position, text: value, number: this.#parseNumber(token) };
      case 'leftParen':
        return this.#parseParenthesised();
      case 'string':
      case 'rawString':
        return { type: 'string', position, quoted: value, text: this.unquote(token) };
    }
    this.#tokens.putBack(token);
    return undefined;
  }

  #parseParenthesised(): PipeNode {
    if (this.#nesting >= maxNesting) this.#tokens.fail('parentheses are nested too deep');
    this.#nesting++;
    const pipe = this.parse('parenthesized pipeline');
    const end = this.#tokens.next();
    if (end.type !== 'rightParen')
      this.#tokens.fail(`unclosed right paren: unexpected ${describeToken(end)}`);
    this.#nesting--;
    return pipe;
  }

  #parseNumber(token: Token): NumberConstant {
    try {
      return numberParsers[token.type]!(token.value);
    } catch (error) {
      if (error instanceof NumberSyntaxError) this.#tokens.fail(error.message);
      throw error;
    }
  }

  /** The text of a string token. */
  unquote(token: Token): string {
    return unquote(token.value) ?? this.#tokens.fail('invalid syntax');
  }
}
