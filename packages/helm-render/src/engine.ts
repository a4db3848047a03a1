import { posix } from 'node:path';
import type { ChartTemplate } from './chart-templates.ts';
import { createTemplateFunctions, type InlineTemplate, TemplateFailure } from './engine-functions.ts';
import type { CallContext, FunctionTable } from './go/function.ts';
import type { RenderBudget } from './go/limits.ts';
import { quote } from './go/quote.ts';
import { isBuiltin } from './template/builtins.ts';
import { executeTemplate } from './template/execute.ts';
import { isEmptyList, type Template } from './template/node.ts';
import { parseTemplates } from './template/parser.ts';
import { TemplateExecError, TemplateSyntaxError } from './template/template-error.ts';

/** The name Tiller gives its set of templates; `include` names it when a template is missing. */
const setName = 'gotpl';

type TemplateSet = Map<string, Template>;

/** Later definitions replace earlier ones, but nothing is replaced by an empty one. */
function addTemplates(set: TemplateSet, parsed: ReadonlyMap<string, Template>): void {
  for (const [name, template] of parsed) {
    if (!set.has(name) || !isEmptyList(template.root)) set.set(name, template);
  }
}

/** Renders the templates of one chart with its subcharts: Helm 2's pkg/engine. */
export class Engine {
  readonly #templates: readonly ChartTemplate[];
  readonly #library: FunctionTable;
  readonly #budget: RenderBudget;
  readonly #context: CallContext;
  /** Parsed files by name; `tpl` needs them again and again. */
  readonly #parsed = new Map<string, ReadonlyMap<string, Template>>();
  /** For `tpl`: all templates but those of the file it is called from, by that file's name. */
  readonly #references = new Map<string, TemplateSet>();

  /** @param templates in the order in which they are to be parsed and rendered */
  constructor(templates: readonly ChartTemplate[], library: FunctionTable, budget: RenderBudget, now: Date) {
    this.#templates = templates;
    this.#library = library;
    this.#budget = budget;
    this.#context = { now, charge: amount => budget.charge(amount) };
  }

  /**
   * The text of every file but the partials (whose names begin with `_`), in the order of rendering.
   * @throws TemplateFailure with Tiller's text, RenderLimitError at a bound
   */
  render(): Map<string, string> {
    const set: TemplateSet = new Map();
    for (const { name } of this.#templates) addTemplates(set, this.#parse(name));
    const rendered = new Map<string, string>();
    for (const template of this.#templates) {
      if (posix.basename(template.name).startsWith('_')) continue;
      rendered.set(template.name, this.#execute(set, template));
    }
    return rendered;
  }

  /** Renders a string with the chart's templates at hand: the function `tpl`. */
  renderInline(inline: InlineTemplate): string {
    const own = this.#parseText(inline.name, inline.text);
    const set = new Map(own);
    for (const [name, template] of this.#referencesFor(inline.name)) {
      if (!set.has(name) || !isEmptyList(template.root)) set.set(name, template);
    }
    this.#budget.charge(set.size);
    return this.#execute(set, inline);
  }

  #execute(set: TemplateSet, { name, data, basePath }: Omit<ChartTemplate, 'text'>): string {
    data.set(
      'Template',
      new Map([
        ['Name', name],
        ['BasePath', basePath],
      ]),
    );
    const functions = createTemplateFunctions(this.#library, {
      include: (template, value) => executeTemplate(runtime, template, value, setName),
      renderInline: inline => this.renderInline(inline),
    });
    const runtime = { templates: set, functions, budget: this.#budget, context: this.#context };
    try {
      const text = executeTemplate(runtime, name, data, setName);
      // Go writes this for a missing key at the end of a chain; Tiller takes it out wherever it stands.
      return text.replaceAll('<no value>', '');
    } catch (error) {
      if (!(error instanceof TemplateExecError)) throw error;
      throw new TemplateFailure(`render error in ${quote(name)}: ${error.message}`);
    }
  }

  #referencesFor(fileName: string): TemplateSet {
    const known = this.#references.get(fileName);
    if (known) return known;
    const set: TemplateSet = new Map();
    for (const { name } of this.#templates) if (name !== fileName) addTemplates(set, this.#parse(name));
    this.#references.set(fileName, set);
    return set;
  }

  #parse(fileName: string): ReadonlyMap<string, Template> {
    let parsed = this.#parsed.get(fileName);
    if (!parsed) {
      const { text } = this.#templates.find(({ name }) => name === fileName)!;
      parsed = this.#parseText(fileName, text);
      this.#parsed.set(fileName, parsed);
    }
    return parsed;
  }

  #parseText(name: string, text: string): Map<string, Template> {
    this.#budget.charge(text.length);
    try {
      return parseTemplates({ name, text }, word => this.#isFunction(word));
    } catch (error) {
      if (!(error instanceof TemplateSyntaxError)) throw error;
      throw new TemplateFailure(`parse error in ${quote(name)}: ${error.message}`);
    }
  }

  #isFunction(name: string): boolean {
    return isBuiltin(name) || this.#library.has(name) || templateFunctionNames.has(name);
  }
}

const templateFunctionNames: ReadonlySet<string> = new Set(['include', 'required', 'tpl']);
