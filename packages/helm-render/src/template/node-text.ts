import { quote } from '../go/quote.ts';
import type { CommandNode, Node, OperandNode, PipeNode } from './node.ts';

const dotted = (fields: readonly string[]) => fields.map(field => `.${field}`).join('');

function argumentText(node: OperandNode): string {
  return node.type === 'pipe' ? `(${nodeText(node)})` : nodeText(node);
}

function commandText(node: CommandNode): string {
  return node.args.map(argumentText).join(' ');
}

function pipeText(node: PipeNode): string {
  const variables = node.variables.map(nodeText).join(', ');
  const commands = node.commands.map(commandText).join(' | ');
  // Go 1.14 writes `:=` for assignments too.
  return variables === '' ? commands : `${variables} := ${commands}`;
}

/** A node as Go writes it in error texts: `executing "x" at <...>`. */
export function nodeText(node: Node): string {
  switch (node.type) {
    case 'list':
      return node.nodes.map(nodeText).join('');
    case 'text':
      return node.text;
    case 'action':
      return `{{${pipeText(node.pipe)}}}`;
    case 'if':
    case 'range':
    case 'with': {
      const otherwise = node.elseList ? `{{else}}${nodeText(node.elseList)}` : '';
      return `{{${node.type} ${pipeText(node.pipe)}}}${nodeText(node.list)}${otherwise}{{end}}`;
    }
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe ? ` ${pipeText(node.pipe)}` : ''}}}`;
    case 'pipe':
      return pipeText(node);
    case 'command':
      return commandText(node);
    case 'identifier':
      return node.name;
    case 'variable':
      return node.name + dotted(node.fields);
    case 'field':
      return dotted(node.fields);
    case 'chain':
      return argumentText(node.operand) + dotted(node.fields);
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
    case 'bool':
      return String(node.value);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
  }
}
