const letter = /^\p{L}$/u;
const digit = /^\p{Nd}$/u;

/** A list of keys in the order in which yaml.v2 writes them: numbers inside a key by value, letters after the rest. */
export function sortKeys(keys: Iterable<string>): string[] {
  return [...keys].sort(compareKeys);
}

function compareKeys(a: string, b: string): number {
  const x = Array.from(a);
  const y = Array.from(b);
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] !== y[i]) return compareAt(x, y, i);
  }
  return x.length - y.length;
}

/** Compares two keys that first differ at `i`. */
function compareAt(x: readonly string[], y: readonly string[], i: number): number {
  const byCode = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
  const xLetter = letter.test(x[i]!);
  const yLetter = letter.test(y[i]!);
  if (xLetter && yLetter) return byCode;
  if (xLetter || yLetter) return yLetter ? -1 : 1;
  const xNumber = readNumber(x, i);
  const yNumber = readNumber(y, i);
  // A zero behind other digits is part of a number that already differs in length only.
  if ((x[i] === '0' || y[i] === '0') && hasDigitBefore(x, i)) {
    xNumber.value += 10n ** BigInt(xNumber.end - i);
    yNumber.value += 10n ** BigInt(yNumber.end - i);
  }
  if (xNumber.value !== yNumber.value) return xNumber.value < yNumber.value ? -1 : 1;
  return xNumber.end - yNumber.end || byCode;
}

function hasDigitBefore(chars: readonly string[], i: number): boolean {
  for (let j = i - 1; j >= 0 && digit.test(chars[j]!); j--) if (chars[j] !== '0') return true;
  return false;
}

function readNumber(chars: readonly string[], start: number): { value: bigint; end: number } {
  let end = start;
  let value = 0n;
  for (; end < chars.length && digit.test(chars[end]!); end++) {
    value = BigInt.asIntN(64, value * 10n + BigInt(chars[end]!.codePointAt(0)! - 0x30));
  }
  return { value, end };
}

/** Orders strings as Go does, by their UTF-8 bytes, which is by code point; for use with `sort`. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all other units, though their numbers are lower than some. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
