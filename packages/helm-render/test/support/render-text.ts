import { functionLibrary } from '../../src/functions/index.ts';
import { bytesToUtf8, utf8ToBytes } from '../../src/go/bytes.ts';
import { defaultRenderLimits, RenderBudget, type RenderLimits } from '../../src/go/limits.ts';
import type { GoValue } from '../../src/go/value.ts';
import { isBuiltin } from '../../src/template/builtins.ts';
import { executeTemplate } from '../../src/template/execute.ts';
import { parseTemplates } from '../../src/template/parser.ts';

/** Renders one text with the language and the library, without Tiller around it. For tests. */
export function renderText(
  text: string,
  data: GoValue,
  limits: RenderLimits = defaultRenderLimits,
  name = 't',
): string {
  const isFunction = (word: string) => isBuiltin(word) || functionLibrary.has(word);
  const templates = parseTemplates({ name, text: utf8ToBytes(text) }, isFunction);
  const budget = new RenderBudget(limits);
  const context = {
    now: new Date('2026-11-20T10:00:00Z'),
    charge: (amount: number) => budget.charge(amount),
  };
  return bytesToUtf8(
    executeTemplate({ templates, functions: functionLibrary, budget, context }, name, data, name),
  );
}
