import { trimSpace } from '../functions/runes.ts';

/**
 * The tree of a parsed template. `position` is the byte offset that error texts name; it is where Go's parser has it,
 * which is not always the node's beginning (a chain `.a.b` is placed at `.b`).
 */
export interface Source {
  /** The file the text came from, which error texts name. */
  readonly name: string;
  readonly text: string;
}

interface Positioned {
  readonly position: number;
}

export interface ListNode extends Positioned {
  readonly type: 'list';
  readonly nodes: StatementNode[];
}

export interface TextNode extends Positioned {
  readonly type: 'text';
  readonly text: string;
}

export interface ActionNode extends Positioned {
  readonly type: 'action';
  readonly pipe: PipeNode;
}

export interface BranchNode extends Positioned {
  readonly type: 'if' | 'range' | 'with';
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList: ListNode | undefined;
}

export interface TemplateNode extends Positioned {
  readonly type: 'template';
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export type StatementNode = TextNode | ActionNode | BranchNode | TemplateNode;

export interface PipeNode extends Positioned {
  readonly type: 'pipe';
  readonly isAssign: boolean;
  readonly variables: VariableNode[];
  readonly commands: CommandNode[];
}

export interface CommandNode extends Positioned {
  readonly type: 'command';
  readonly args: OperandNode[];
}

export interface IdentifierNode extends Positioned {
  readonly type: 'identifier';
  readonly name: string;
}

/** `$x.a.b`: the name with its dollar sign, then the fields. */
export interface VariableNode extends Positioned {
  readonly type: 'variable';
  readonly name: string;
  readonly fields: string[];
}

export interface FieldNode extends Positioned {
  readonly type: 'field';
  readonly fields: string[];
}

/** `(pipeline).a.b` and `function.a`. */
export interface ChainNode extends Positioned {
  readonly type: 'chain';
  readonly operand: OperandNode;
  readonly fields: string[];
}

export interface NumberNode extends Positioned {
  readonly type: 'number';
  readonly text: string;
  readonly number: NumberConstant;
}

/** What a numeric constant may stand for; absent forms do not fit it. */
export interface NumberConstant {
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly real: number; readonly imaginary: number };
}

export interface StringNode extends Positioned {
  readonly type: 'string';
  /** As written, with its quotes. */
  readonly quoted: string;
  readonly text: string;
}

export interface BoolNode extends Positioned {
  readonly type: 'bool';
  readonly value: boolean;
}

export interface DotNode extends Positioned {
  readonly type: 'dot';
}

export interface NilNode extends Positioned {
  readonly type: 'nil';
}

export type OperandNode =
  | PipeNode
  | IdentifierNode
  | VariableNode
  | FieldNode
  | ChainNode
  | NumberNode
  | StringNode
  | BoolNode
  | DotNode
  | NilNode;

export type Node = ListNode | StatementNode | PipeNode | CommandNode | OperandNode;

/** One template: what a file holds, or a `define` or `block` in it. */
export interface Template {
  readonly name: string;
  readonly source: Source;
  readonly root: ListNode;
}

/** Whether a template holds nothing but white space and comments: such a one never replaces another. */
export function isEmptyList(list: ListNode): boolean {
  return list.nodes.every(node => node.type === 'text' && trimSpace(node.text) === '');
}
