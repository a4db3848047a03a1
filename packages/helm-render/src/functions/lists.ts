/** Sprig's list functions. https://masterminds.github.io/sprig/lists.html */

import type { Functions } from '../go/function.ts';
import { type CallContext, GoError, goFunction } from '../go/function.ts';
import { nilList } from '../go/nil.ts';
import { type GoValue, kindOf, TypedList, typedList } from '../go/value.ts';
import { elementsOf, isEmpty, texts, toInt64, toText, toTexts } from './convert.ts';
import { deepEqual } from './deep-equal.ts';

/** What Go says when a method is called on the type of nil. */
const nilType = 'runtime error: invalid memory address or nil pointer dereference';

/** The elements of a list; `verb` words the error about anything else. */
function listOf(value: GoValue, verb: string): readonly GoValue[] {
  if (value === null) throw new GoError(nilType);
  const elements = elementsOf(value);
  if (elements === undefined) throw new GoError(`Cannot ${verb} on type ${kindOf(value)}`);
  return elements;
}

function listFunction(
  verb: string,
  change: (list: readonly GoValue[]) => GoValue,
  result = '[]interface {}',
) {
  return goFunction(['interface {}'], ([list]) => change(listOf(list!, verb)), { result });
}

function isAmong(value: GoValue, list: readonly GoValue[], context: CallContext): boolean {
  return list.some(each => deepEqual(value, each, amount => context.charge(amount)));
}

function slice(list: GoValue, bounds: readonly GoValue[]): GoValue {
  if (list === null) throw new GoError(nilType);
  const elements = elementsOf(list);
  if (elements === undefined) {
    throw new GoError(`list should be type of slice or array but ${kindOf(list)}`);
  }
  if (elements.length === 0) return null;
  const start = bounds.length > 0 ? toInt64(bounds[0]!) : 0n;
  const end = bounds.length > 1 ? toInt64(bounds[1]!) : BigInt(elements.length);
  // The real limit is the slice's capacity, which templates cannot see.
  if (start < 0n || end < start || end > BigInt(elements.length)) {
    throw new GoError('reflect.Value.Slice: slice index out of bounds');
  }
  if (list instanceof Uint8Array) return list.slice(Number(start), Number(end));
  const part = elements.slice(Number(start), Number(end));
  return list instanceof TypedList ? typedList(list.elementType, part) : part;
}

/** Work of putting one element of a long list into its place, in the budget's unit. */
const sortWork = 50;

function uniq(list: readonly GoValue[], context: CallContext): GoValue[] {
  const seen: GoValue[] = [];
  for (const item of list) if (!isAmong(item, seen, context)) seen.push(item);
  return seen;
}

/** All elements of all lists; a nil list where there is none. */
function concat(lists: readonly GoValue[], context: CallContext): GoValue {
  const parts = lists.map(each => {
    if (each === null) throw new GoError(nilType);
    const elements = elementsOf(each);
    if (elements === undefined) throw new GoError(`Cannot concat type ${kindOf(each)} as list`);
    context.charge(elements.length);
    return elements;
  });
  const all = ([] as GoValue[]).concat(...parts);
  return all.length === 0 ? nilList('interface {}') : all;
}

const list = goFunction([], args => [...args], { variadic: 'interface {}', result: '[]interface {}' });
const push = goFunction(
  ['interface {}', 'interface {}'],
  ([items, item], context) => {
    const elements = listOf(items!, 'push');
    context.charge(elements.length);
    return [...elements, item!];
  },
  { result: '[]interface {}' },
);

export const listFunctions: Functions = [
  ['list', list],
  ['tuple', list],
  ['append', push],
  ['push', push],
  [
    'prepend',
    goFunction(
      ['interface {}', 'interface {}'],
      ([items, item], context) => {
        const elements = listOf(items!, 'prepend');
        context.charge(elements.length);
        return [item!, ...elements];
      },
      { result: '[]interface {}' },
    ),
  ],
  ['first', listFunction('find first', items => items[0] ?? null, 'interface {}')],
  ['last', listFunction('find last', items => items.at(-1) ?? null, 'interface {}')],
  [
    'rest',
    listFunction('find rest', items => (items.length === 0 ? nilList('interface {}') : items.slice(1))),
  ],
  [
    'initial',
    listFunction('find initial', items =>
      items.length === 0 ? nilList('interface {}') : items.slice(0, -1),
    ),
  ],
  ['reverse', listFunction('find reverse', items => items.toReversed())],
  ['compact', listFunction('compact', items => items.filter(item => !isEmpty(item)))],
  [
    'uniq',
    goFunction(['interface {}'], ([items], context) => uniq(listOf(items!, 'find uniq'), context), {
      result: '[]interface {}',
    }),
  ],
  [
    'without',
    goFunction(
      ['interface {}'],
      ([items, ...unwanted], context) =>
        listOf(items!, 'find without').filter(item => !isAmong(item, unwanted, context)),
      { variadic: 'interface {}', result: '[]interface {}' },
    ),
  ],
  [
    'has',
    goFunction(
      ['interface {}', 'interface {}'],
      ([needle, haystack], context) =>
        haystack !== null && isAmong(needle!, listOf(haystack!, 'find has'), context),
      { result: 'bool' },
    ),
  ],
  [
    'slice',
    goFunction(['interface {}'], ([items, ...bounds]) => slice(items!, bounds), { variadic: 'interface {}' }),
  ],
  ['concat', goFunction([], (lists, context) => concat(lists, context), { variadic: 'interface {}' })],
  [
    'sortAlpha',
    goFunction(
      ['interface {}'],
      ([items], context) => {
        const elements = elementsOf(items!);
        if (elements === undefined) return texts([toText(items!, context)]);
        context.charge(elements.length * sortWork);
        return texts(toTexts(items!, context).sort(compareBytes));
      },
      { result: '[]string' },
    ),
  ],
];

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
