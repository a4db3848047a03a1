/** Sprig's defaults and flow control. https://masterminds.github.io/sprig/defaults.html */

import type { Functions } from '../go/function.ts';
import { GoError, goFunction } from '../go/function.ts';
import { isEmpty } from './convert.ts';

export const defaultFunctions: Functions = [
  [
    'default',
    goFunction(
      ['interface {}'],
      ([fallback, given]) => (given === undefined || isEmpty(given) ? fallback! : given),
      { variadic: 'interface {}' },
    ),
  ],
  ['empty', goFunction(['interface {}'], ([value]) => isEmpty(value!), { result: 'bool' })],
  [
    'coalesce',
    goFunction([], args => args.find(each => !isEmpty(each)) ?? null, { variadic: 'interface {}' }),
  ],
  [
    'ternary',
    goFunction(['interface {}', 'interface {}', 'bool'], ([yes, no, condition]) => (condition ? yes! : no!)),
  ],
  [
    'fail',
    goFunction(
      ['string'],
      ([message]) => {
        throw new GoError(message as string);
      },
      { result: 'string' },
    ),
  ],
];
