import {
  type FunctionLookup,
  type FunctionTable,
  GoError,
  type GoFunction,
  goFunction,
} from './go/function.ts';
import { uncounted } from './go/limits.ts';
import { sprintf } from './go/printf.ts';
import { quote } from './go/quote.ts';
import type { GoMap, GoValue } from './go/value.ts';
import { pathValue } from './objects/values.ts';

/** A template or its data are at fault. `message` is Tiller's text, a byte string. */
export class TemplateFailure extends Error {
  override readonly name = 'TemplateFailure';
}

/** What a string given to `tpl` is rendered with. */
export interface InlineTemplate {
  readonly text: string;
  readonly name: string;
  readonly basePath: string;
  readonly data: GoMap;
}

/** What Helm's functions need of the engine. */
export interface TemplateRenderer {
  /** Renders one of the templates. */
  readonly include: (name: string, data: GoValue) => string;
  /** Renders a string. @throws TemplateFailure */
  readonly renderInline: (inline: InlineTemplate) => string;
}

/** A part of the data's `Template`. @throws GoError in Helm's words */
function templateInfo(data: GoMap, key: string, text: string, label: string): string {
  try {
    return pathValue(data, `Template.${key}`) as string;
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`Cannot retrieve ${label} from values inside tpl function: ${text} (${error.message})`);
  }
}

/** `required`: nil and the empty string are refused, with the chart's own words (a format, as Helm has it). */
function requireValue(warning: string, value: GoValue): GoValue {
  if (value === null || value === '') throw new GoError(sprintf(warning, [], uncounted));
  return value;
}

function renderTpl(renderer: TemplateRenderer, text: string, data: GoMap): string {
  const basePath = templateInfo(data, 'BasePath', text, 'Template.Basepath');
  const name = templateInfo(data, 'Name', text, 'Template.Name');
  try {
    return renderer.renderInline({ text, name, basePath, data });
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error;
    throw new GoError(`Error during tpl function execution for ${quote(text)}: ${error.message}`);
  }
}

/**
 * The library with Helm's own functions that know the templates. https://v2.helm.sh/docs/developing_charts/#know-your-template-functions
 */
export function createTemplateFunctions(library: FunctionTable, renderer: TemplateRenderer): FunctionLookup {
  const own: [string, GoFunction][] = [
    [
      'include',
      goFunction(
        ['string', 'interface {}'],
        ([name, data]) => renderer.include(name as string, data ?? null),
        {
          result: 'string',
        },
      ),
    ],
    [
      'required',
      goFunction(['string', 'interface {}'], ([warning, value]) =>
        requireValue(warning as string, value ?? null),
      ),
    ],
    [
      'tpl',
      goFunction(
        ['string', 'chartutil.Values'],
        ([text, data]) => renderTpl(renderer, text as string, data as GoMap),
        { result: 'string' },
      ),
    ],
  ];
  const named = new Map(own);
  return {
    get: name => named.get(name) ?? library.get(name),
    has: name => named.has(name) || library.has(name),
  };
}
