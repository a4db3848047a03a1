/** Sprig's arithmetic on 64-bit integers, and its few functions on floats. https://masterminds.github.io/sprig/math.html */

import type { Functions } from '../go/function.ts';
import { type CallContext, GoError, goFunction } from '../go/function.ts';
import type { Work } from '../go/limits.ts';
import { formatValue } from '../go/print.ts';
import { type GoValue, int64, typedList } from '../go/value.ts';
import { parseDecimal, toFloat64, toInt64 } from './convert.ts';

function twoIntegers(compute: (a: bigint, b: bigint) => bigint) {
  return goFunction(['interface {}', 'interface {}'], ([a, b]) => int64(compute(toInt64(a!), toInt64(b!))), {
    result: 'int64',
  });
}

function manyIntegers(compute: (a: bigint, b: bigint) => bigint) {
  return goFunction(
    ['interface {}'],
    ([first, ...others]) =>
      int64(others.reduce((sum: bigint, each) => compute(sum, toInt64(each)), toInt64(first!))),
    { variadic: 'interface {}', result: 'int64' },
  );
}

function floatFunction(compute: (value: number) => number) {
  return goFunction(['interface {}'], ([value]) => compute(toFloat64(value!)), { result: 'float64' });
}

function nonZero(divisor: bigint): bigint {
  if (divisor === 0n) throw new GoError('runtime error: integer divide by zero');
  return divisor;
}

/** Rounds up from `roundOn` of the last digit on, as Sprig does: for negative numbers that is always down. */
function round(value: number, places: number, roundOn: number): number {
  const power = 10 ** places;
  const digit = power * value;
  const rounded = digit - Math.trunc(digit) >= roundOn ? Math.ceil(digit) : Math.floor(digit);
  return rounded / power;
}

function untilStep(start: bigint, stop: bigint, step: bigint, context: CallContext): GoValue {
  const numbers: bigint[] = [];
  const rising = stop >= start;
  if (rising ? step > 0n : step < 0n) {
    // An integer in a list takes more memory than a character does.
    context.charge((Number((stop - start) / step) + 1) * 8);
    for (let i = start; rising ? i < stop : i > stop; i += step) numbers.push(i);
  }
  return typedList('int', numbers);
}

/** strconv.ParseInt with base 8 of the printed value; 0 where it is no octal number. */
function toDecimal(value: GoValue, work: Work): bigint {
  const text = formatValue(value, work);
  if (!/^[-+]?[0-7]{1,400}$/.test(text)) return 0n;
  const magnitude = BigInt(`0o${text.replace(/^[-+]/, '')}`);
  const number = text.startsWith('-') ? -magnitude : magnitude;
  return BigInt.asIntN(64, number) === number ? number : 0n;
}

const biggest = manyIntegers((a, b) => (b > a ? b : a));

export const mathFunctions: Functions = [
  [
    'add',
    goFunction([], args => int64(args.reduce((sum: bigint, each) => sum + toInt64(each), 0n)), {
      variadic: 'interface {}',
      result: 'int64',
    }),
  ],
  ['add1', goFunction(['interface {}'], ([value]) => int64(toInt64(value!) + 1n), { result: 'int64' })],
  ['sub', twoIntegers((a, b) => a - b)],
  ['mul', manyIntegers((a, b) => BigInt.asIntN(64, a * b))],
  ['div', twoIntegers((a, b) => a / nonZero(b))],
  ['mod', twoIntegers((a, b) => a % nonZero(b))],
  ['max', biggest],
  ['biggest', biggest],
  ['min', manyIntegers((a, b) => (b < a ? b : a))],
  ['floor', floatFunction(Math.floor)],
  ['ceil', floatFunction(Math.ceil)],
  [
    'round',
    goFunction(
      ['interface {}', 'int'],
      ([value, places, roundOn]) =>
        round(toFloat64(value!), Number(places), typeof roundOn === 'number' ? roundOn : 0.5),
      { variadic: 'float64', result: 'float64' },
    ),
  ],
  [
    'until',
    goFunction(
      ['int'],
      ([count], context) => untilStep(0n, count as bigint, (count as bigint) < 0n ? -1n : 1n, context),
      {
        result: '[]int',
      },
    ),
  ],
  [
    'untilStep',
    goFunction(
      ['int', 'int', 'int'],
      ([start, stop, step], context) => untilStep(start as bigint, stop as bigint, step as bigint, context),
      { result: '[]int' },
    ),
  ],
  ['int', goFunction(['interface {}'], ([value]) => toInt64(value!), { result: 'int' })],
  ['int64', goFunction(['interface {}'], ([value]) => int64(toInt64(value!)), { result: 'int64' })],
  ['float64', floatFunction(value => value)],
  ['atoi', goFunction(['string'], ([text]) => parseDecimal(text as string) ?? 0n, { result: 'int' })],
  [
    'toDecimal',
    goFunction(['interface {}'], ([value], context) => int64(toDecimal(value!, context)), {
      result: 'int64',
    }),
  ],
];
