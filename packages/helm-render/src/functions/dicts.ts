/** Sprig's dictionary functions. https://masterminds.github.io/sprig/dicts.html */

import type { Functions } from '../go/function.ts';
import { GoError, goFunction } from '../go/function.ts';
import type { Work } from '../go/limits.ts';
import { NilMap } from '../go/nil.ts';
import { type GoMap, type GoValue, TypedList, TypedMap, typedList } from '../go/value.ts';
import { isEmpty, texts, toText } from './convert.ts';

const dictType = 'map[string]interface {}';
const maxDepth = 1_000;
/** Work of copying one value, in the budget's unit: it stands for memory as well. */
const nodeWork = 20;

/**
 * mergo.Merge: what `into` lacks or has empty comes from `from`; maps within both are merged likewise. With `overwrite`
 * with the roles reversed, but a map or list of `from` takes no place of another type in `into`.
 */
function mergeInto(
  into: GoMap,
  from: GoMap,
  overwrite: boolean,
  charge: (amount: number) => void,
  depth = 0,
): void {
  charge(from.size + 1);
  if (depth > maxDepth) throw new GoError('maximum depth exceeded');
  for (const [key, value] of from) {
    if (value === null) continue;
    const present = into.get(key) ?? null;
    if (value instanceof Map) {
      if (present instanceof Map && present.size > 0) mergeInto(present, value, overwrite, charge, depth + 1);
      else if (isEmpty(present)) into.set(key, value);
    } else if (overwrite || isEmpty(present)) {
      into.set(key, value);
    }
  }
}

function mergeFunction(overwrite: boolean) {
  return goFunction(
    [dictType],
    ([given, ...sources], context) => {
      // Go's library makes the map that is not there.
      const into = given instanceof NilMap ? new Map() : given;
      for (const source of sources) {
        mergeInto(into as GoMap, source as GoMap, overwrite, amount => context.charge(amount));
      }
      return into!;
    },
    { variadic: dictType },
  );
}

/** A copy in which nothing is shared with the original. */
function deepCopy(value: GoValue, charge: (amount: number) => void, depth = 0): GoValue {
  charge(nodeWork);
  if (value === null && depth === 0) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  if (depth > maxDepth) throw new GoError('deepCopy error: value is nested too deep');
  const copy = (each: GoValue) => deepCopy(each, charge, depth + 1);
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, each]) => [key, copy(each)] as const);
    if (!(value instanceof TypedMap)) return new Map(entries);
    return new TypedMap(value.type, value.elementType, entries, value.methods);
  }
  if (value instanceof TypedList) return typedList(value.elementType, value.map(copy));
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Uint8Array) return value.slice();
  return value;
}

function dict(args: readonly GoValue[], work: Work): GoMap {
  const map: GoMap = new Map();
  for (let i = 0; i < args.length; i += 2)
    map.set(toText(args[i]!, work), i + 1 < args.length ? args[i + 1]! : '');
  return map;
}

export const dictFunctions: Functions = [
  ['dict', goFunction([], dict, { variadic: 'interface {}', result: dictType })],
  [
    'set',
    goFunction(
      [dictType, 'string', 'interface {}'],
      ([map, key, value]) => {
        (map as GoMap).set(key as string, value!);
        return map!;
      },
      { result: dictType },
    ),
  ],
  [
    'unset',
    goFunction(
      [dictType, 'string'],
      ([map, key]) => {
        (map as GoMap).delete(key as string);
        return map!;
      },
      { result: dictType },
    ),
  ],
  [
    'hasKey',
    goFunction([dictType, 'string'], ([map, key]) => (map as GoMap).has(key as string), { result: 'bool' }),
  ],
  [
    'pluck',
    goFunction(
      ['string'],
      ([key, ...maps]) =>
        maps.filter(map => (map as GoMap).has(key as string)).map(map => (map as GoMap).get(key as string)!),
      { variadic: dictType, result: '[]interface {}' },
    ),
  ],
  [
    'keys',
    goFunction(
      [],
      (maps, context) => {
        for (const map of maps) context.charge((map as GoMap).size * nodeWork);
        return texts(maps.flatMap(map => [...(map as GoMap).keys()]));
      },
      { variadic: dictType, result: '[]string' },
    ),
  ],
  [
    'values',
    goFunction(
      [dictType],
      ([map], context) => {
        context.charge((map as GoMap).size * nodeWork);
        return [...(map as GoMap).values()];
      },
      { result: '[]interface {}' },
    ),
  ],
  [
    'pick',
    goFunction(
      [dictType],
      ([map, ...keys], context) => {
        context.charge((map as GoMap).size * nodeWork);
        const wanted = keys.filter(key => (map as GoMap).has(key as string));
        return new Map(wanted.map(key => [key as string, (map as GoMap).get(key as string)!]));
      },
      { variadic: 'string', result: dictType },
    ),
  ],
  [
    'omit',
    goFunction(
      [dictType],
      ([map, ...keys], context) => {
        context.charge((map as GoMap).size * nodeWork);
        const unwanted = new Set(keys);
        return new Map([...(map as GoMap)].filter(([key]) => !unwanted.has(key)));
      },
      { variadic: 'string', result: dictType },
    ),
  ],
  ['merge', mergeFunction(false)],
  ['mergeOverwrite', mergeFunction(true)],
  [
    'deepCopy',
    goFunction(['interface {}'], ([value], context) => deepCopy(value!, amount => context.charge(amount))),
  ],
];
