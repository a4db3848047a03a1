import type { GoFunction, GoType } from './value.ts';

/** Functions and values name each other (a struct's methods are functions), so their types live together. */
export type { CallContext, GoFunction, GoType } from './value.ts';

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

/** A part of the library: names and what they call. */
export type Functions = readonly (readonly [name: string, fn: GoFunction])[];
