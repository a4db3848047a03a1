import { type CallContext, type FunctionLookup, GoError, type GoFunction } from '../go/function.ts';
import type { RenderBudget } from '../go/limits.ts';
import type { GoValue } from '../go/value.ts';
import type { Template } from './node.ts';
import { TemplateExecError } from './template-error.ts';

/** What all templates of one set share while they run. */
export interface Runtime {
  readonly templates: ReadonlyMap<string, Template>;
  /** Every function a template may call but the language's own. */
  readonly functions: FunctionLookup;
  readonly budget: RenderBudget;
  readonly context: CallContext;
}

/** Where rendered text goes. */
export class Output {
  readonly #budget: RenderBudget;
  #text = '';

  constructor(budget: RenderBudget) {
    this.#budget = budget;
  }

  write(text: string): void {
    this.#budget.output(text.length);
    this.#text += text;
  }

  get text(): string {
    return this.#text;
  }
}

/** What a call came to: a value, or the text of the error that Go's function would return. */
export type CallOutcome =
  | { readonly value: GoValue | undefined; readonly error?: undefined }
  | { readonly error: string };

/** Calls a function with arguments that already fit. Faults other than Go's own (bounds, bugs) go on being thrown. */
export function callFunction(
  callee: GoFunction,
  args: readonly (GoValue | undefined)[],
  context: CallContext,
): CallOutcome {
  try {
    // Only built-ins have reflect.Value parameters, the one case in which an argument may be undefined.
    return { value: callee.call(args as GoValue[], context) };
  } catch (error) {
    if (error instanceof GoError || error instanceof TemplateExecError) return { error: error.message };
    throw error;
  }
}
