import { type FunctionTable, GoError, type GoFunction, type GoType, goFunction } from '../go/function.ts';
import type { Work } from '../go/limits.ts';
import { isTrue } from '../go/nil.ts';
import { printableText, sprint, sprintln } from '../go/print.ts';
import { sprintf } from '../go/printf.ts';
import { type GoValue, kindOf, typeOf } from '../go/value.ts';
import { equalsAny, isLess } from './compare.ts';
import { escapeHtml, escapeJs, escapeUrlQuery } from './escape.ts';
import { indexInto, sliceOf } from './index-slice.ts';

/** An argument of type reflect.Value: nil in an interface is null, no value at all is undefined. */
type Reflected = GoValue | undefined;

function reflected(
  params: number,
  variadic: boolean,
  call: (args: readonly Reflected[], work: Work) => GoValue | undefined,
): GoFunction {
  const type: GoType = 'reflect.Value';
  const types = Array.from({ length: params }, () => type);
  // A result may be the invalid value, which only the evaluator sees.
  const run = (args: readonly Reflected[], work: Work) => call(args, work) as GoValue;
  return goFunction(types, run, variadic ? { variadic: type, result: type } : { result: type });
}

/** `and` and `or`: the first argument that decides, else the last. All are evaluated before. */
const firstOrLast = (decides: boolean) => (args: readonly Reflected[]) =>
  args.at(args.findIndex(value => isTrue(value) === decides));

function length(value: GoValue): bigint {
  if (value === null) throw new GoError('len of untyped nil');
  if (value instanceof Map) return BigInt(value.size);
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) {
    return BigInt(value.length);
  }
  throw new GoError(`len of type ${typeOf(value).replace(/^\*/, '')}`);
}

/** The language's `call`: no value of a chart is a function, so it can only fail, as Go's does. */
function callValue(value: Reflected): never {
  if (value === undefined || value === null) throw new GoError('call of nil');
  throw new GoError(`non-function of type ${typeOf(value)}`);
}

/** The text that html, js and urlquery escape: all arguments as `print` writes them. */
function argumentText(args: readonly GoValue[], work: Work): string {
  const shown = args.map(value =>
    value === null || kindOf(value) === 'ptr' ? printableText(value ?? undefined, work) : value,
  );
  return sprint(shown, work);
}

const escaper = (escapeText: (text: string) => string) =>
  goFunction([], (args, context) => escapeText(argumentText(args, context)), {
    variadic: 'interface {}',
    result: 'string',
  });

const less = (first: Reflected, second: Reflected) => isLess(first, second);
const lessOrEqual = (first: Reflected, second: Reflected, work: Work) =>
  less(first, second) || equalsAny(first, [second], work);

/**
 * The functions of the language itself.
 * https://pkg.go.dev/text/template#hdr-Functions
 */
export const builtins: FunctionTable = new Map<string, GoFunction>([
  ['and', reflected(1, true, firstOrLast(false))],
  ['or', reflected(1, true, firstOrLast(true))],
  ['call', reflected(1, true, ([value]) => callValue(value))],
  ['html', escaper(escapeHtml)],
  ['index', reflected(1, true, ([item, ...indices]) => indexInto(item, indices))],
  ['js', escaper(escapeJs)],
  ['len', goFunction(['interface {}'], ([value]) => length(value ?? null), { result: 'int' })],
  ['not', reflected(1, false, ([value]) => !isTrue(value))],
  ['print', goFunction([], sprint, { variadic: 'interface {}', result: 'string' })],
  [
    'printf',
    goFunction(['string'], ([format, ...args], context) => sprintf(format as string, args, context), {
      variadic: 'interface {}',
      result: 'string',
    }),
  ],
  ['println', goFunction([], sprintln, { variadic: 'interface {}', result: 'string' })],
  ['slice', reflected(1, true, ([item, ...indices]) => sliceOf(item, indices))],
  ['urlquery', escaper(escapeUrlQuery)],
  ['eq', reflected(1, true, ([first, ...others], context) => equalsAny(first, others, context))],
  ['ne', reflected(2, false, ([first, second], context) => !equalsAny(first, [second], context))],
  ['lt', reflected(2, false, ([first, second]) => less(first, second))],
  ['le', reflected(2, false, ([first, second], context) => lessOrEqual(first, second, context))],
  ['gt', reflected(2, false, ([first, second], context) => !lessOrEqual(first, second, context))],
  ['ge', reflected(2, false, ([first, second]) => !less(first, second))],
]);

/** Whether a name is one of the language's own functions. */
export function isBuiltin(name: string): boolean {
  return builtins.has(name);
}
