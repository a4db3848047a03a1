import { quote } from '../go/quote.ts';
import { Lexer } from './lexer.ts';
import { TemplateSyntaxError } from './template-error.ts';
import { isKeyword, type Token, type TokenType } from './token.ts';

/** A token as Go words it in `unexpected ...`. */
export function describeToken(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'error') return token.value;
  if (isKeyword(token)) return `<${token.value}>`;
  return token.value.length > 10 ? `${quote(token.value.slice(0, 10))}...` : quote(token.value);
}

/** Tokens with the three places of look-ahead that the language needs. */
export class TokenReader {
  readonly #name: string;
  readonly #lexer: Lexer;
  /** Tokens put back; the one to come first is last. */
  readonly #pending: Token[] = [];
  /** The token that was read from the lexer last: its line is the one that syntax errors name. */
  #newest: Token;
  /** The line on which the action being read began; 0 between actions. */
  actionLine = 0;

  constructor(name: string, source: string) {
    this.#name = name;
    this.#lexer = new Lexer(source);
    this.#newest = { type: 'text', position: 0, value: '', line: 1 };
  }

  next(): Token {
    const pending = this.#pending.pop();
    if (pending !== undefined) {
      if (this.#pending.length === 0) this.#newest = pending;
      return pending;
    }
    this.#newest = this.#lexer.next();
    return this.#newest;
  }

  /** Puts tokens back; they will come in the order given. */
  putBack(...tokens: Token[]): void {
    this.#pending.push(...tokens.reverse());
    if (this.#pending[0] !== undefined) this.#newest = this.#pending[0];
  }

  peek(): Token {
    const token = this.next();
    this.putBack(token);
    return token;
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next();
      if (token.type !== 'space') return token;
    }
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.putBack(token);
    return token;
  }

  expect(type: TokenType, context: string, orType: TokenType = type): Token {
    const token = this.nextNonSpace();
    if (token.type !== type && token.type !== orType) this.unexpected(token, context);
    return token;
  }

  get line(): number {
    return this.#newest.line;
  }

  fail(message: string, line: number = this.line): never {
    throw new TemplateSyntaxError(`template: ${this.#name}:${line}: ${message}`);
  }

  unexpected(token: Token, context: string): never {
    if (token.type !== 'error') this.fail(`unexpected ${describeToken(token)} in ${context}`);
    let where = '';
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      where = ` in action started at ${this.#name}:${this.actionLine}`;
      if (token.value.endsWith(' action')) where = where.slice(' in action'.length);
    }
    this.fail(token.value + where);
  }
}
