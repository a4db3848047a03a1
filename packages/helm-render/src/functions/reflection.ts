/** Sprig's questions about Go's types. https://masterminds.github.io/sprig/reflection.html */

import type { Functions } from '../go/function.ts';
import { goFunction } from '../go/function.ts';
import { kindOf, typeOf } from '../go/value.ts';
import { deepEqual } from './deep-equal.ts';

export const reflectionFunctions: Functions = [
  ['typeOf', goFunction(['interface {}'], ([value]) => typeOf(value!), { result: 'string' })],
  [
    'typeIs',
    goFunction(['string', 'interface {}'], ([name, value]) => name === typeOf(value!), { result: 'bool' }),
  ],
  [
    'typeIsLike',
    goFunction(
      ['string', 'interface {}'],
      ([name, value]) => name === typeOf(value!) || `*${name}` === typeOf(value!),
      { result: 'bool' },
    ),
  ],
  ['kindOf', goFunction(['interface {}'], ([value]) => kindOf(value!), { result: 'string' })],
  [
    'kindIs',
    goFunction(['string', 'interface {}'], ([name, value]) => name === kindOf(value!), { result: 'bool' }),
  ],
  [
    'deepEqual',
    goFunction(
      ['interface {}', 'interface {}'],
      ([a, b], context) => deepEqual(a!, b!, amount => context.charge(amount)),
      { result: 'bool' },
    ),
  ],
];
