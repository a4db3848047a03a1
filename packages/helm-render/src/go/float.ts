/**
 * Go's forms of floating point numbers: strconv.FormatFloat with `e`, `f`, `g`, and the shortest digits that read back
 * the same. JavaScript's toFixed and toExponential round halves up where Go rounds the exact value to even.
 */

/** A number as digits with the decimal point before the first digit, times 10^point: 0.d1d2... × 10^point. */
interface Decimal {
  digits: string;
  point: number;
}

function shortestDecimal(value: number): Decimal {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  return digits === '0' ? { digits: '', point: 0 } : { digits, point: Number(exponent) + 1 };
}

const bits = new DataView(new ArrayBuffer(8));

/** Every digit of the number's exact value. */
function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = Math.max(biased, 1) - 1075;
  const scaled = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = scaled.toString();
  const point = digits.length - Math.max(-exponent, 0);
  return { digits: digits.replace(/0+$/, ''), point };
}

/** `decimal` with at most `count` digits, halves rounded to even. */
function round(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count < 0) return { digits: '', point: 0 };
  if (count >= digits.length) return decimal;
  const kept = digits.slice(0, count);
  const next = digits.charCodeAt(count) - 48;
  const isHalf = next === 5 && count + 1 === digits.length;
  const lastIsOdd = count > 0 && (kept.charCodeAt(count - 1) - 48) % 2 === 1;
  const up = isHalf ? lastIsOdd : next >= 5;
  if (!up) return { digits: kept.replace(/0+$/, ''), point };
  const raised = (BigInt(kept === '' ? '0' : kept) + 1n).toString().padStart(count, '0');
  const carried = raised.length > count ? 1 : 0;
  return { digits: raised.replace(/0+$/, ''), point: point + carried };
}

function exponentForm({ digits, point }: Decimal, precision: number, letter: string): string {
  const padded = digits.padEnd(precision + 1, '0').slice(0, precision + 1);
  const exponent = digits === '' ? 0 : point - 1;
  const mantissa = precision > 0 ? `${padded[0]}.${padded.slice(1)}` : (padded[0] ?? '0');
  const size = Math.abs(exponent).toString().padStart(2, '0');
  return `${mantissa}${letter}${exponent < 0 ? '-' : '+'}${size}`;
}

function plainForm({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (precision <= 0) return whole;
  const shifted = point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  return `${whole}.${shifted.padEnd(precision, '0').slice(0, precision)}`;
}

function generalForm(decimal: Decimal, precision: number, shortest: boolean, letter: string): string {
  const { digits, point } = decimal;
  let limit = precision;
  if (limit > digits.length && digits.length >= point) limit = digits.length;
  // Where JavaScript turns to exponents at 10^21, Go's shortest form does at 10^6.
  if (shortest) limit = 6;
  const exponent = point - 1;
  if (digits !== '' && (exponent < -4 || exponent >= limit)) {
    const places = precision > digits.length ? digits.length : precision;
    return exponentForm(decimal, places - 1, letter);
  }
  return plainForm(decimal, Math.max(digits.length - point, 0));
}

/** strconv's names of the numbers without digits. */
function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : undefined;
}

export type FloatVerb = 'e' | 'E' | 'f' | 'F' | 'g' | 'G';

/**
 * strconv.FormatFloat(value, verb, precision, 64).
 * @param precision digits after the point (`e`, `f`) or in all (`g`); -1 for as many as are needed
 */
export function formatFloat(value: number, verb: FloatVerb, precision: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const magnitude = Math.abs(value);
  const shortest = precision < 0;
  const decimal = shortest ? shortestDecimal(magnitude) : exactDecimal(magnitude);
  const { digits, point } = decimal;
  const letter = verb === 'E' || verb === 'G' ? 'E' : 'e';
  switch (verb) {
    case 'e':
    case 'E': {
      const places = shortest ? Math.max(digits.length - 1, 0) : precision;
      return sign + exponentForm(shortest ? decimal : round(decimal, places + 1), places, letter);
    }
    case 'f':
    case 'F': {
      const places = shortest ? Math.max(digits.length - point, 0) : precision;
      return sign + plainForm(shortest ? decimal : round(decimal, point + places), places);
    }
    default: {
      if (shortest) return sign + generalForm(decimal, Math.max(digits.length, 1), true, letter);
      const count = precision === 0 ? 1 : precision;
      return sign + generalForm(round(decimal, count), count, false, letter);
    }
  }
}
