const startIndicators = new Set('#,[]{}&*!|>\'"%@`');

/** Numbers in base 60 are no numbers here, but are for other readers: they are quoted (`190:20:30`). */
const base60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

/**
 * What libyaml's Go translation holds for unprintable: controls, tabs among them, NEL, the byte order mark, and everything
 * above U+FFFF. Line separators are no such, but in quotes alone they read the same everywhere.
 */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/**
 * The style in which yaml.v2 writes a string, so that it reads back the same; libyaml's analysis, in block context.
 * @param readsAsString whether it is no number, boolean or null without quotes
 */
export function styleOf(
  text: string,
  readsAsString: boolean,
): 'literal' | 'plain' | 'single quoted' | 'double quoted' {
  if (unprintable.test(text)) return 'double quoted';
  if (text.includes('\n')) return / (?:\n|$)/.test(text) ? 'double quoted' : 'literal';
  if (!readsAsString || base60.test(text)) return 'double quoted';
  return text.startsWith(' ') || text.endsWith(' ') || hasIndicator(text) ? 'single quoted' : 'plain';
}

/** Whether something in the text would read as YAML's own punctuation in a plain scalar. */
function hasIndicator(text: string): boolean {
  if (text.startsWith('---') || text.startsWith('...') || startIndicators.has(text[0]!)) return true;
  return /^[-?:](?: |$)|:(?: |$)| #/.test(text);
}

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
