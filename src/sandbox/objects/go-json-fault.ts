/** Where Go's encoding/json stops in a text that is no JSON, and in which words. */

const literals: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

/**
 * Why a text is no JSON, as encoding/json says it; undefined for JSON.
 * Source: https://github.com/golang/go/blob/go1.19/src/encoding/json/scanner.go
 * @param text one character for each byte (latin1)
 */
export function goJsonFault(text: string): string | undefined {
  try {
    const end = skipSpace(text, readValue(text, skipSpace(text, 0), 0));
    return end < text.length ? fault(text, end, 'after top-level value').message : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const maxDepth = 10_000;

function readValue(text: string, at: number, depth: number): number {
  const char = text[at];
  if (depth > maxDepth) throw new Error('exceeded max depth');
  if (char === '{') return readMembers(text, at, depth);
  if (char === '[') return readItems(text, at, depth);
  if (char === '"') return readString(text, at);
  const literal = char === undefined ? undefined : literals[char];
  if (literal) return readLiteral(text, at, literal);
  const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
  number.lastIndex = at;
  if (char !== undefined && number.test(text)) return number.lastIndex;
  if (char === '-') throw fault(text, at + 1, 'in numeric literal');
  throw fault(text, at, 'looking for beginning of value');
}

function readMembers(text: string, start: number, depth: number): number {
  let at = skipSpace(text, start + 1);
  if (text[at] === '}') return at + 1;
  for (;;) {
    if (text[at] !== '"') throw fault(text, at, 'looking for beginning of object key string');
    at = skipSpace(text, readString(text, at));
    if (text[at] !== ':') throw fault(text, at, 'after object key');
    at = skipSpace(text, readValue(text, skipSpace(text, at + 1), depth + 1));
    if (text[at] === '}') return at + 1;
    if (text[at] !== ',') throw fault(text, at, 'after object key:value pair');
    at = skipSpace(text, at + 1);
  }
}

function readItems(text: string, start: number, depth: number): number {
  let at = skipSpace(text, start + 1);
  if (text[at] === ']') return at + 1;
  for (;;) {
    at = skipSpace(text, readValue(text, at, depth + 1));
    if (text[at] === ']') return at + 1;
    if (text[at] !== ',') throw fault(text, at, 'after array element');
    at = skipSpace(text, at + 1);
  }
}

function readString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const char = text[at];
    if (char === '"') return at + 1;
    if (char === undefined || char < ' ') throw fault(text, at, 'in string literal');
    if (char !== '\\') continue;
    at++;
    if (text[at] === 'u') {
      for (let digit = 0; digit < 4; digit++) {
        if (!/[0-9a-fA-F]/.test(text[++at] ?? ''))
          throw fault(text, at, 'in \\u hexadecimal character escape');
      }
    } else if (!/["\\/bfnrt]/.test(text[at] ?? '')) throw fault(text, at, 'in string escape code');
  }
}

function readLiteral(text: string, start: number, literal: string): number {
  for (let index = 1; index < literal.length; index++) {
    if (text[start + index] === literal[index]) continue;
    throw fault(text, start + index, `in literal ${literal} (expecting '${literal[index]}')`);
  }
  return start + literal.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  return at;
}

function fault(text: string, at: number, context: string): Error {
  const char = text[at];
  if (char === undefined) return new Error('unexpected end of JSON input');
  return new Error(`invalid character ${quoteChar(char)} ${context}`);
}

/** As Go quotes a byte, which it takes for a code point. */
function quoteChar(char: string): string {
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  const code = char.charCodeAt(0);
  if (code > 0x7e && code < 0xa1) return `'\\u${code.toString(16).padStart(4, '0')}'`;
  const text = JSON.stringify(char).slice(1, -1);
  return `'${text.replace(/^\\u00(?=[01])/, '\\x')}'`;
}
