/** What the lexer yields. `word` tokens are keywords; `error` carries the fault's text as its value. */
export type TokenType =
  | 'error'
  | 'eof'
  | 'text'
  | 'leftDelim'
  | 'rightDelim'
  | 'space'
  | 'char'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'bool'
  | 'character'
  | 'complex'
  | 'number'
  | 'string'
  | 'rawString'
  | 'field'
  | 'identifier'
  | 'variable'
  | 'dot'
  | 'nil'
  | Keyword;

export type Keyword = 'block' | 'define' | 'else' | 'end' | 'if' | 'range' | 'template' | 'with';

const keywords: ReadonlySet<string> = new Set<Keyword>([
  'block',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);

export interface Token {
  readonly type: TokenType;
  /** Byte offset in the source. */
  readonly position: number;
  /** The source text, byte by byte. */
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** The type of a bare word in an action. */
export function wordType(word: string): TokenType {
  if (keywords.has(word)) return word as Keyword;
  if (word === 'true' || word === 'false') return 'bool';
  return word === 'nil' ? 'nil' : 'identifier';
}

export function isKeyword(token: Token): boolean {
  return keywords.has(token.type) || token.type === 'dot' || token.type === 'nil';
}
