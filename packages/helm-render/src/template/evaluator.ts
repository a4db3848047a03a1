import type { GoFunction, GoType } from '../go/function.ts';
import { quote } from '../go/quote.ts';
import {
  GoComplex,
  GoInteger,
  GoStruct,
  type GoValue,
  type IntegerKind,
  TypedMap,
  typeOf,
} from '../go/value.ts';
import { builtins } from './builtins.ts';
import type {
  ChainNode,
  CommandNode,
  FieldNode,
  IdentifierNode,
  Node,
  NumberNode,
  OperandNode,
  PipeNode,
  Template,
  VariableNode,
} from './node.ts';
import { nodeText } from './node-text.ts';
import type { Runtime } from './runtime.ts';
import { callFunction } from './runtime.ts';
import type { Scope, Slot } from './scope.ts';
import { TemplateExecError } from './template-error.ts';
import { canBeNil, elementTypeOf, isAssignable, typeClass, zeroOf } from './types.ts';

/** A value, or the invalid one; see Slot. */
type Result = GoValue | undefined;

/** Stands for «no value comes from an earlier command of the pipeline». */
const nothing = Symbol('nothing');
type Final = Result | typeof nothing;

/** Evaluates the pipelines of one running template. Rules and error texts are those of Go 1.14's text/template. */
export class Evaluator {
  readonly #runtime: Runtime;
  readonly #template: Template;
  readonly #scope: Scope;
  /** The node that an error would name. */
  #node: Node | undefined;

  constructor(runtime: Runtime, template: Template, scope: Scope) {
    this.#runtime = runtime;
    this.#template = template;
    this.#scope = scope;
  }

  at(node: Node): void {
    this.#node = node;
  }

  fail(message: string): never {
    const { name, source } = this.#template;
    if (this.#node === undefined) throw new TemplateExecError(`template: ${name}: ${message}`);
    const before = source.text.slice(0, this.#node.position);
    const line = before.split('\n').length;
    const column = before.length - (before.lastIndexOf('\n') + 1);
    const where = `${source.name}:${line}:${column}`;
    const what = nodeText(this.#node);
    throw new TemplateExecError(`template: ${where}: executing ${quote(name)} at <${what}>: ${message}`);
  }

  /** The value of a pipeline, which also declares or assigns its variables. Never null: nil is undefined from here on. */
  pipeline(dot: Slot, pipe: PipeNode | undefined): Result {
    if (pipe === undefined) return undefined;
    this.at(pipe);
    let value: Final = nothing;
    for (const command of pipe.commands) value = this.#command(dot, command, value) ?? undefined;
    const result = value === nothing ? undefined : value;
    const slot = { value: result, inInterface: false };
    for (const { name } of pipe.variables) {
      if (!pipe.isAssign) this.#scope.push(name, slot);
      else if (!this.#scope.assign(name, slot)) this.fail(`undefined variable: ${name}`);
    }
    return result;
  }

  #command(dot: Slot, command: CommandNode, final: Final): Result {
    this.#runtime.budget.charge(1);
    const { args } = command;
    const first = args[0]!;
    switch (first.type) {
      case 'field':
        return this.#field(dot, first, args, final);
      case 'chain':
        return this.#chain(dot, first, args, final);
      case 'identifier':
        return this.#function(dot, first, command, args, final);
      case 'pipe':
        this.#refuseArguments(args, final);
        return this.pipeline(dot, first);
      case 'variable':
        return this.#variable(dot, first, args, final);
    }
    this.at(first);
    this.#refuseArguments(args, final);
    switch (first.type) {
      case 'bool':
        return first.value;
      case 'dot':
        return dot.value;
      case 'nil':
        return this.fail('nil is not a command');
      case 'number':
        return this.#idealConstant(first);
      case 'string':
        return first.text;
    }
  }

  #refuseArguments(args: readonly OperandNode[], final: Final): void {
    if (args.length > 1 || final !== nothing) {
      this.fail(`can't give argument to non-function ${nodeText(args[0]!)}`);
    }
  }

  /** A numeric constant where nothing says which type is wanted: its form decides. */
  #idealConstant(node: NumberNode): Result {
    this.at(node);
    const { text, number } = node;
    if (number.complex) return new GoComplex(number.complex.real, number.complex.imaginary);
    const isHexInt = /^0[xX]/.test(text) && !/[pP]/.test(text);
    const looksLikeFloat = !isHexInt && !text.startsWith("'") && /[.eEpP]/.test(text);
    if (number.float !== undefined && looksLikeFloat) return number.float;
    if (number.int !== undefined) return number.int;
    return number.uint === undefined ? undefined : this.fail(`${text} overflows int`);
  }

  #field(dot: Slot, node: FieldNode, args: readonly OperandNode[] | undefined, final: Final): Result {
    this.at(node);
    return this.#fieldChain(dot, dot, node, node.fields, args, final);
  }

  #chain(dot: Slot, node: ChainNode, args: readonly OperandNode[] | undefined, final: Final): Result {
    this.at(node);
    if (node.operand.type === 'nil') this.fail(`indirection through explicit nil in ${nodeText(node)}`);
    const { operand } = node;
    this.at(operand);
    const value =
      operand.type === 'identifier'
        ? this.#function(dot, operand, operand, undefined, nothing)
        : this.pipeline(dot, operand as PipeNode);
    return this.#fieldChain(dot, { value, inInterface: value === null }, node, node.fields, args, final);
  }

  #variable(dot: Slot, node: VariableNode, args: readonly OperandNode[] | undefined, final: Final): Result {
    this.at(node);
    const slot = this.#scope.get(node.name) ?? this.fail(`undefined variable: ${node.name}`);
    if (node.fields.length > 0) return this.#fieldChain(dot, slot, node, node.fields, args, final);
    this.#refuseArguments(args ?? [node], final);
    return slot.value;
  }

  /** `.a.b.c`: all but the last without arguments. `dot` is where arguments are evaluated. */
  #fieldChain(
    dot: Slot,
    receiver: Slot,
    node: FieldNode | ChainNode | VariableNode,
    fields: readonly string[],
    args: readonly OperandNode[] | undefined,
    final: Final,
  ): Result {
    let slot = receiver;
    const last = fields.length - 1;
    for (let index = 0; index < last; index++) {
      slot = this.#member(dot, slot, node, fields[index]!, undefined, nothing);
    }
    return this.#member(dot, slot, node, fields[last]!, args, final).value;
  }

  /** One step of a chain: a method's result, a struct's field, a map's element. */
  #member(
    dot: Slot,
    receiver: Slot,
    node: FieldNode | ChainNode | VariableNode,
    name: string,
    args: readonly OperandNode[] | undefined,
    final: Final,
  ): Slot {
    const { value } = receiver;
    if (value === undefined) return { value: undefined, inInterface: false };
    if (value === null) this.fail(`nil pointer evaluating interface {}.${name}`);
    const isObject = value instanceof GoStruct || value instanceof TypedMap;
    const method = isObject ? value.methods?.get(name) : undefined;
    if (method) {
      const result = this.#call(dot, method, node, name, args, final);
      return { value: result, inInterface: (method.result ?? 'interface {}') === 'interface {}' };
    }
    const hasArguments = (args !== undefined && args.length > 1) || final !== nothing;
    if (value instanceof Map) {
      if (hasArguments) this.fail(`${name} is not a method but has arguments`);
      const element = value.get(name);
      const type = elementTypeOf(value);
      return { value: element === undefined ? zeroOf(type) : element, inInterface: type === 'interface {}' };
    }
    const field = value instanceof GoStruct ? value.fields.get(name) : undefined;
    if (field === undefined) {
      const type = receiver.inInterface ? 'interface {}' : typeOf(value);
      return this.fail(`can't evaluate field ${name} in type ${type}`);
    }
    if (hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`);
    return { value: field.value, inInterface: field.type === 'interface {}' };
  }

  #function(
    dot: Slot,
    node: IdentifierNode,
    command: CommandNode | IdentifierNode,
    args: readonly OperandNode[] | undefined,
    final: Final,
  ): Result {
    this.at(node);
    const { name } = node;
    const own = this.#runtime.functions.get(name);
    if (own) return this.#call(dot, own, command, name, args, final);
    const builtin = builtins.get(name) ?? this.fail(`${quote(name)} is not a defined function`);
    return this.#call(dot, builtin, command, name, args, final);
  }

  #call(
    dot: Slot,
    callee: GoFunction,
    node: Node,
    name: string,
    args: readonly OperandNode[] | undefined,
    final: Final,
  ): Result {
    const given = args?.slice(1) ?? [];
    const { params, variadic } = callee;
    const count = given.length + (final === nothing ? 0 : 1);
    if (variadic !== undefined && count < params.length) {
      this.fail(`wrong number of args for ${name}: want at least ${params.length} got ${given.length}`);
    }
    if (variadic === undefined && count !== params.length) {
      this.fail(`wrong number of args for ${name}: want ${params.length} got ${count}`);
    }
    const typeAt = (index: number) => params[index] ?? variadic ?? 'interface {}';
    const values = given.map((arg, index) => this.#argument(dot, typeAt(index), arg));
    if (final !== nothing) values.push(this.#fit(final, typeAt(count - 1)));
    const outcome = callFunction(callee, values, this.#runtime.context);
    if (outcome.error === undefined) {
      if (typeof outcome.value === 'string') this.#runtime.budget.charge(outcome.value.length);
      return outcome.value;
    }
    this.at(node);
    return this.fail(`error calling ${name}: ${outcome.error}`);
  }

  /** An argument's value as a parameter of the type takes it. */
  #argument(dot: Slot, type: GoType, node: OperandNode): Result {
    this.at(node);
    switch (node.type) {
      case 'dot':
        return this.#fit(dot.value, type);
      case 'nil':
        if (canBeNil(type)) return type === 'reflect.Value' ? undefined : zeroOf(type);
        return this.fail(`cannot assign nil to ${type}`);
      case 'field':
        return this.#fit(this.#field(dot, node, [node], nothing), type);
      case 'variable':
        return this.#fit(this.#variable(dot, node, undefined, nothing), type);
      case 'pipe':
        return this.#fit(this.pipeline(dot, node), type);
      case 'identifier':
        return this.#fit(this.#function(dot, node, node, undefined, nothing), type);
      case 'chain':
        return this.#fit(this.#chain(dot, node, undefined, nothing), type);
      default:
        return this.#constant(node, type);
    }
  }

  /** A constant as a parameter's type reads it. */
  #constant(node: OperandNode & { type: 'bool' | 'number' | 'string' }, type: GoType): Result {
    const number = node.type === 'number' ? node.number : {};
    switch (typeClass(type)) {
      case 'bool':
        if (node.type === 'bool') return node.value;
        return this.fail(`expected bool; found ${nodeText(node)}`);
      case 'string':
        if (node.type === 'string') return node.text;
        return this.fail(`expected string; found ${nodeText(node)}`);
      case 'integer':
        if (number.int === undefined) return this.fail(`expected integer; found ${nodeText(node)}`);
        return type === 'int' ? number.int : new GoInteger(type as IntegerKind, number.int);
      case 'unsigned':
        if (number.uint === undefined) return this.fail(`expected unsigned integer; found ${nodeText(node)}`);
        return new GoInteger(type as IntegerKind, number.uint);
      case 'float':
        return number.float ?? this.fail(`expected float; found ${nodeText(node)}`);
      case 'complex':
        if (!number.complex) return this.fail(`expected complex; found ${nodeText(node)}`);
        return new GoComplex(number.complex.real, number.complex.imaginary);
      case 'interface':
      case 'value':
        if (node.type === 'number') return this.#idealConstant(node);
        return node.type === 'bool' ? node.value : node.text;
      default:
        return this.fail(`can't handle ${nodeText(node)} for arg of type ${type}`);
    }
  }

  /** A value for a parameter of the type: Go's assignability, and what nil becomes. */
  #fit(value: Result, type: GoType): Result {
    if (value === undefined) {
      if (type === 'reflect.Value') return undefined;
      return canBeNil(type) ? zeroOf(type) : this.fail(`invalid value; expected ${type}`);
    }
    if (value === null) {
      if (type === 'interface {}' || type === 'reflect.Value') return null;
      return this.fail(`wrong type for value; expected ${type}; got interface {}`);
    }
    if (isAssignable(value, type)) return value;
    return this.fail(`wrong type for value; expected ${type}; got ${typeOf(value)}`);
  }
}
