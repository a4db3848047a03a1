const names: ReadonlyMap<number, string> = new Map([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
]);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
const escaped = /^["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/** Whether a character cannot stand for itself in double quotes; above U+FFFF none can. */
export function isEscaped(char: string): boolean {
  return escaped.test(char);
}

/** A character as YAML's escape: `\n`, `\x7F`, `\u200B`, `\U0001F600`. */
export function escapeChar(char: string): string {
  const code = char.codePointAt(0)!;
  const name = names.get(code);
  if (name !== undefined) return `\\${name}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
