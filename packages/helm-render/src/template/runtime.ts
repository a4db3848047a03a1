import type { CallContext, FunctionLookup } from '../go/function.ts';
import type { RenderBudget } from '../go/limits.ts';
import type { Template } from './node.ts';

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
