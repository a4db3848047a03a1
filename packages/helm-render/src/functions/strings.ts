/** Sprig's string functions that are Go's `strings` with the subject last. https://masterminds.github.io/sprig/strings.html */

import type { CallContext, Functions } from '../go/function.ts';
import { GoError, goFunction } from '../go/function.ts';
import { formatValue } from '../go/print.ts';
import { quote } from '../go/quote.ts';
import { type GoValue, TypedMap } from '../go/value.ts';
import { texts, toText, toTexts } from './convert.ts';
import { lowerText, mapText, titleText, trimRunes, trimSpace, upperText } from './runes.ts';

function textFunction(change: (text: string) => string) {
  return goFunction(['string'], ([text]) => change(text as string), { result: 'string' });
}

function twoTexts(change: (a: string, b: string, context: CallContext) => GoValue, result = 'string') {
  const run = (args: GoValue[], context: CallContext) =>
    change(args[0] as string, args[1] as string, context);
  return goFunction(['string', 'string'], run, { result });
}

/** strings.Repeat, after its result's size is charged. */
function repeatText(text: string, count: bigint, context: CallContext): string {
  if (count < 0n) throw new GoError('strings: negative Repeat count');
  // A hostile count is refused by the charge before it could be too large for a number.
  context.charge(Number(count) * Math.max(text.length, 1));
  return text.repeat(Number(count));
}

/** strings.Replace for all: an empty `old` matches before every rune and at the end. */
function replaceAll(old: string, by: string, text: string, context: CallContext): string {
  if (old !== '') {
    const parts = text.split(old);
    context.charge(text.length + parts.length * by.length);
    return parts.join(by);
  }
  context.charge((text.length + 1) * (by.length + 1));
  return mapText(text, decoded => decoded.replace(/(?:)/gu, () => '\0')).replaceAll('\0', by);
}

function indentText(spaces: bigint, text: string, context: CallContext): string {
  const pad = repeatText(' ', spaces, context);
  const lines = text.split('\n');
  context.charge(text.length + lines.length * pad.length);
  return pad + lines.join(`\n${pad}`);
}

/** strings.Split and SplitN, after the most parts there can be are charged; an empty separator parts the runes. */
function splitText(text: string, separator: string, context: CallContext, limit = -1): string[] {
  if (limit === 0) return [];
  context.charge(Math.ceil(text.length / Math.max(separator.length, 1)));
  const parts = separator === '' ? splitRunes(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function splitRunes(text: string): string[] {
  const parts: string[] = text.match(/[\x80-\xbf]|[^\x80-\xbf][\x80-\xbf]*/g) ?? [];
  return parts;
}

/** Sprig's split: a map with the parts under `_0`, `_1` and so on. */
function splitToMap(parts: readonly string[]): GoValue {
  return new TypedMap(
    'map[string]string',
    'string',
    parts.map((part, index) => [`_${index}`, part] as const),
  );
}

/** A slice of a Go string, with Go's panic where the bounds are wrong. */
function sliceText(text: string, start: bigint, end: bigint | undefined): string {
  const length = BigInt(text.length);
  if (end !== undefined && (end < 0n || end > length)) {
    const past = end < 0n ? '' : ` with length ${length}`;
    throw new GoError(`runtime error: slice bounds out of range [:${end}]${past}`);
  }
  const stop = end ?? length;
  if (start < 0n) throw new GoError(`runtime error: slice bounds out of range [${start}:]`);
  if (start > stop) throw new GoError(`runtime error: slice bounds out of range [${start}:${stop}]`);
  return text.slice(Number(start), Number(stop));
}

function substring(start: bigint, end: bigint, text: string): string {
  if (start < 0n) return sliceText(text, 0n, end);
  if (end < 0n || end > BigInt(text.length)) return sliceText(text, start, undefined);
  return sliceText(text, start, end);
}

export const stringFunctions: Functions = [
  ['hello', goFunction([], () => 'Hello!', { result: 'string' })],
  ['trim', textFunction(trimSpace)],
  ['upper', textFunction(text => mapText(text, upperText))],
  ['lower', textFunction(text => mapText(text, lowerText))],
  ['title', textFunction(text => mapText(text, titleText))],
  ['trimall', twoTexts((cutset, text) => trimRunes(text, cutset))],
  ['trimAll', twoTexts((cutset, text) => trimRunes(text, cutset))],
  [
    'trimSuffix',
    twoTexts((suffix, text) => (suffix && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text)),
  ],
  ['trimPrefix', twoTexts((prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text))],
  ['contains', twoTexts((part, text) => text.includes(part), 'bool')],
  ['hasPrefix', twoTexts((prefix, text) => text.startsWith(prefix), 'bool')],
  ['hasSuffix', twoTexts((suffix, text) => text.endsWith(suffix), 'bool')],
  [
    'repeat',
    goFunction(
      ['int', 'string'],
      ([count, text], context) => repeatText(text as string, count as bigint, context),
      { result: 'string' },
    ),
  ],
  [
    'substr',
    goFunction(
      ['int', 'int', 'string'],
      ([start, end, text]) => substring(start as bigint, end as bigint, text as string),
      { result: 'string' },
    ),
  ],
  [
    'trunc',
    goFunction(
      ['int', 'string'],
      ([count, text]) => {
        const length = BigInt((text as string).length);
        return length <= (count as bigint) ? text! : sliceText(text as string, 0n, count as bigint);
      },
      { result: 'string' },
    ),
  ],
  [
    'replace',
    goFunction(
      ['string', 'string', 'string'],
      ([old, by, text], context) => replaceAll(old as string, by as string, text as string, context),
      { result: 'string' },
    ),
  ],
  [
    'indent',
    goFunction(
      ['int', 'string'],
      ([spaces, text], context) => indentText(spaces as bigint, text as string, context),
      { result: 'string' },
    ),
  ],
  [
    'nindent',
    goFunction(
      ['int', 'string'],
      ([spaces, text], context) => `\n${indentText(spaces as bigint, text as string, context)}`,
      { result: 'string' },
    ),
  ],
  [
    'plural',
    goFunction(['string', 'string', 'int'], ([one, many, count]) => (count === 1n ? one! : many!), {
      result: 'string',
    }),
  ],
  [
    'quote',
    goFunction(
      [],
      (args, context) =>
        args
          .filter(each => each !== null)
          .map(each => quote(toText(each, context)))
          .join(' '),
      {
        variadic: 'interface {}',
        result: 'string',
      },
    ),
  ],
  [
    'squote',
    goFunction(
      [],
      (args, context) =>
        args
          .filter(each => each !== null)
          .map(each => `'${formatValue(each, context)}'`)
          .join(' '),
      {
        variadic: 'interface {}',
        result: 'string',
      },
    ),
  ],
  [
    'cat',
    goFunction(
      [],
      (args, context) =>
        args
          .filter(each => each !== null)
          .map(each => formatValue(each, context))
          .join(' '),
      {
        variadic: 'interface {}',
        result: 'string',
      },
    ),
  ],
  [
    'join',
    goFunction(
      ['string', 'interface {}'],
      ([separator, list], context) => {
        const parts = toTexts(list!, context);
        context.charge(parts.length * ((separator as string).length + 1));
        return parts.join(separator as string);
      },
      { result: 'string' },
    ),
  ],
  [
    'toString',
    goFunction(['interface {}'], ([value], context) => toText(value!, context), { result: 'string' }),
  ],
  [
    'toStrings',
    goFunction(['interface {}'], ([value], context) => texts(toTexts(value!, context)), {
      result: '[]string',
    }),
  ],
  [
    'split',
    twoTexts(
      (separator, text, context) => splitToMap(splitText(text, separator, context)),
      'map[string]string',
    ),
  ],
  [
    'splitList',
    twoTexts((separator, text, context) => texts(splitText(text, separator, context)), '[]string'),
  ],
  [
    'splitn',
    goFunction(
      ['string', 'int', 'string'],
      ([separator, limit, text], context) =>
        splitToMap(splitText(text as string, separator as string, context, Number(limit))),
      { result: 'map[string]string' },
    ),
  ],
];
