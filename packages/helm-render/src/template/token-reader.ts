import { runesOf } from '../go/bytes.ts';
import { quote } from '../go/quote.ts';
import { Lexer } from './lexer.ts';
import { TemplateSyntaxError } from './template-error.ts';
import { isKeyword, type Token, type TokenType } from './token.ts';

/** How many runes of a token an error text shows. */
const maxShownRunes = 10;

function firstRunes(text: string): string {
  let size = 0;
  let count = 0;
  for (const rune of runesOf(text)) {
    if (count++ === maxShownRunes) break;
    size += rune.size;
  }
  return text.slice(0, size);
}

/** A token as Go words it in `unexpected ...`. */
export function describeToken(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'error') return token.value;
  if (isKeyword(token)) return `<${token.value}>`;
  const { value } = token;
  return value.length > maxShownRunes ? `${quote(firstRunes(value))}...` : quote(value);
}

/** Tokens with the three places of look-ahead that the language needs. */
export class TokenReader {
  readonly #name: string;
  readonly #lexer: Lexer;
  /** Tokens put back; the one to come first is last. */
  readonly #pending: Token[] = [];
  /** The token that was read from the lexer last: its line is the one that syntax errors name. */
  #newest: Token;

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
    this.fail(`unexpected ${describeToken(token)} in ${context}`);
  }
}
