import { isTrue } from '../go/nil.ts';
import { formatValue, printableText } from '../go/print.ts';
import { quote } from '../go/quote.ts';
import { GoInteger, type GoValue, sortedKeys } from '../go/value.ts';
import { Evaluator } from './evaluator.ts';
import type { BranchNode, ListNode, StatementNode, Template, TemplateNode } from './node.ts';
import { Output, type Runtime } from './runtime.ts';
import { Scope, type Slot } from './scope.ts';
import { TemplateExecError } from './template-error.ts';
import { elementTypeOf } from './types.ts';

/** One round of a `range`. */
interface Round {
  readonly index: GoValue;
  readonly element: GoValue;
}

function* roundsOf(value: GoValue): Generator<Round> {
  if (value instanceof Map) {
    for (const key of sortedKeys(value)) yield { index: key, element: value.get(key) ?? null };
  } else if (value instanceof Uint8Array) {
    for (let index = 0; index < value.length; index++) {
      yield { index: BigInt(index), element: new GoInteger('uint8', BigInt(value[index]!)) };
    }
  } else if (Array.isArray(value)) {
    // A slice's length is taken once, so a list that grows meanwhile does not go on for ever.
    const { length } = value;
    for (let index = 0; index < length; index++)
      yield { index: BigInt(index), element: value[index] ?? null };
  }
}

/** Runs one template: walks its statements and writes what they yield. */
class Execution {
  readonly #runtime: Runtime;
  readonly #output: Output;
  readonly #scope: Scope;
  readonly #evaluator: Evaluator;

  constructor(runtime: Runtime, template: Template, output: Output, dollar: Slot) {
    this.#runtime = runtime;
    this.#output = output;
    this.#scope = new Scope(dollar);
    this.#evaluator = new Evaluator(runtime, template, this.#scope);
  }

  list(dot: Slot, list: ListNode): void {
    for (const node of list.nodes) this.#statement(dot, node);
  }

  #statement(dot: Slot, node: StatementNode): void {
    this.#runtime.budget.charge(1);
    this.#evaluator.at(node);
    switch (node.type) {
      case 'text':
        this.#output.write(node.text);
        return;
      case 'action': {
        const value = this.#evaluator.pipeline(dot, node.pipe);
        if (node.pipe.variables.length === 0) this.#output.write(printableText(value, this.#runtime.budget));
        return;
      }
      case 'if':
      case 'with':
        this.#scoped(() => this.#ifOrWith(dot, node));
        return;
      case 'range':
        this.#scoped(() => this.#range(dot, node));
        return;
      case 'template':
        this.#template(dot, node);
    }
  }

  /** Variables declared within end with it. */
  #scoped(body: () => void): void {
    const { size } = this.#scope;
    body();
    this.#scope.popTo(size);
  }

  #ifOrWith(dot: Slot, node: BranchNode): void {
    const value = this.#evaluator.pipeline(dot, node.pipe);
    if (isTrue(value)) this.list(node.type === 'with' ? { value, inInterface: false } : dot, node.list);
    else if (node.elseList) this.list(dot, node.elseList);
  }

  #range(dot: Slot, node: BranchNode): void {
    const value = this.#evaluator.pipeline(dot, node.pipe);
    const { size } = this.#scope;
    const declared = node.pipe.variables.length;
    const iterable = value instanceof Map || value instanceof Uint8Array || Array.isArray(value);
    if (value !== undefined && !iterable) {
      this.#evaluator.fail(`range can't iterate over ${formatValue(value as GoValue, this.#runtime.budget)}`);
    }
    let empty = true;
    // Keys are sorted before the first round.
    if (value instanceof Map) this.#runtime.budget.charge(value.size);
    const inInterface = iterable && elementTypeOf(value) === 'interface {}';
    for (const { index, element } of iterable ? roundsOf(value) : []) {
      empty = false;
      const slot = { value: element, inInterface };
      if (declared > 0) this.#scope.setTop(1, slot);
      if (declared > 1) this.#scope.setTop(2, { value: index, inInterface: false });
      this.#runtime.budget.charge(1);
      this.list(slot, node.list);
      this.#scope.popTo(size);
    }
    if (empty && node.elseList) this.list(dot, node.elseList);
  }

  #template(dot: Slot, node: TemplateNode): void {
    const template = this.#runtime.templates.get(node.name);
    if (template === undefined) this.#evaluator.fail(`template ${quote(node.name)} not defined`);
    const value = this.#evaluator.pipeline(dot, node.pipe);
    const slot = { value, inInterface: false };
    const inner = new Execution(this.#runtime, template, this.#output, slot);
    this.#runtime.budget.nested(() => inner.list(slot, template.root));
  }
}

/**
 * Runs the template of that name on `data` and returns its text (a byte string).
 * @throws TemplateExecError with Go's text, RenderLimitError at a bound
 */
export function executeTemplate(runtime: Runtime, name: string, data: GoValue, setName: string): string {
  const template = runtime.templates.get(name);
  if (template === undefined) {
    const where = `associated with template ${quote(setName)}`;
    throw new TemplateExecError(`template: no template ${quote(name)} ${where}`);
  }
  const output = new Output(runtime.budget);
  const slot = { value: data ?? undefined, inInterface: false };
  runtime.budget.nested(() => new Execution(runtime, template, output, slot).list(slot, template.root));
  return output.text;
}
