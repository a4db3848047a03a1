/** Floats as Go's strconv.FormatFloat writes them, from the shortest digits that give the same float back. */

interface Digits {
  readonly negative: boolean;
  /** Significant digits without zeros at either end; '0' for zero. */
  readonly digits: string;
  /** The decimal exponent of the first digit: value = d.ddd × 10^exponent. */
  readonly exponent: number;
}

function shortestDigits(value: number): Digits {
  const match = /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(value.toExponential())!;
  const [, sign, first, rest = '', exponent] = match;
  return { negative: sign === '-' || Object.is(value, -0), digits: first + rest, exponent: Number(exponent) };
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : undefined;
}

/** Format 'e', precision -1: `1.5e+21`; the exponent has at least two digits. */
export function formatFloatE(value: number): string {
  const given = special(value);
  if (given !== undefined) return given;
  const { negative, digits, exponent } = shortestDigits(value);
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${negative ? '-' : ''}${mantissa}e${exponent < 0 ? '-' : '+'}${power}`;
}

/** Format 'f', precision -1: all digits, no exponent. */
export function formatFloatF(value: number): string {
  const given = special(value);
  if (given !== undefined) return given;
  const { negative, digits, exponent } = shortestDigits(value);
  const sign = negative ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return sign + whole + (fraction === '' ? '' : `.${fraction}`);
}

/** Format 'g', precision -1: with an exponent where that is below -4 or above 5, so that a million is `1e+06`. */
export function formatFloatG(value: number): string {
  const given = special(value);
  if (given !== undefined) return given;
  const { exponent } = shortestDigits(value);
  return exponent < -4 || exponent >= 6 ? formatFloatE(value) : formatFloatF(value);
}

/** The float with the fewest digits that is the same in 32 bits: what formats it as Go does with bit size 32. */
export function shortestFloat32(value: number): number {
  const single = Math.fround(value);
  if (!Number.isFinite(single) || single === 0) return single;
  for (let precision = 1; precision < 9; precision++) {
    const short = Number(single.toPrecision(precision));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}
