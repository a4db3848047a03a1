import type { GoValue } from './value.ts';

/**
 * Go's name of a parameter's type, which decides what the evaluator lets through and how it words a mismatch:
 * `interface {}` takes anything (nil too), `reflect.Value` is for the language's own functions alone (they tell nil in
 * an interface, `null`, from no value at all, `undefined`), and any other name takes values of exactly that type
 * (`map[string]interface {}` also takes chartutil.Values, as assignability does in Go). Constants in the template
 * adapt to numeric types: `5` given for `int64` arrives as an int64, for `float64` as a number.
 *
 * Tools for the library: `formatValue` in print.ts is `%v` (fmt.Sprint of one value), `sprintf` in printf.ts is
 * fmt.Sprintf, `isTrue` in truth.ts is the language's truth, `kindOf`/`typeOf` in value.ts are reflect's.
 *
 * A function therefore gets arguments of the declared types and need not check them again.
 */
export type GoType =
  | 'interface {}'
  | 'reflect.Value'
  | 'bool'
  | 'string'
  | 'int'
  | 'int64'
  | 'float64'
  | '[]interface {}'
  | '[]string'
  | '[]uint8'
  | 'map[string]interface {}'
  | 'map[string]string'
  | 'chartutil.Values'
  | 'time.Time'
  | (string & {});

/** What a function may ask of the rendering it runs in. */
export interface CallContext {
  /**
   * Counts work before it is done: call with the number of bytes or elements about to be made wherever that is not
   * bounded by the size of the arguments (repeat, until, indent, random text, ...).
   * @throws RenderLimitError when the rendering has used up its bound
   */
  charge(amount: number): void;
  /** The time `now` means; the same during one rendering. */
  readonly now: Date;
}

export interface GoFunction {
  /** Types of the parameters before the variadic one. */
  readonly params: readonly GoType[];
  /** The variadic parameter's element type, `interface {}` for `args ...interface{}`. */
  readonly variadic?: GoType;
  /** Go's name of the declared result type. Default: `interface {}`. */
  readonly result?: GoType;
  /**
   * Called with arguments whose number and types fit; variadic ones follow the others in the same array.
   * @throws GoError for an error that the Go function returns or a panic that it raises
   */
  readonly call: (args: GoValue[], context: CallContext) => GoValue;
}

/**
 * An error returned by (or a panic raised in) a Go function. `message` is a byte string, as Go words it; the evaluator
 * puts `error calling NAME: ` before it.
 */
export class GoError extends Error {
  override readonly name = 'GoError';
}

/** What Tiller's templates may call besides the language's own built-ins, by name. */
export type FunctionTable = ReadonlyMap<string, GoFunction>;

/** How a running template finds functions; a FunctionTable is one. */
export type FunctionLookup = Pick<FunctionTable, 'get' | 'has'>;

/** Shorthand for a table's entry: `fn(['int', 'string'], ([n, text]) => ...)`. */
export function goFunction(
  params: readonly GoType[],
  call: GoFunction['call'],
  more: { variadic?: GoType; result?: GoType } = {},
): GoFunction {
  return { params, call, ...more };
}
