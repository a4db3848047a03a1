import { readFile, stat } from 'node:fs/promises';
import type { Node } from 'js-yaml';
import { readYamlTree, scalarOf } from '../yaml/index.ts';
import type { PlacedOption } from './options.ts';
import { type Setting, type Settings, suggestion } from './read-settings.ts';

/** More than any configuration needs; a wrong path such as a log file or a device must not fill the memory. */
const maxFileBytes = 1024 * 1024;

/**
 * Reads a YAML file of options by their flag names; a repeatable one may be a list. Values are taken as they are
 * written (`drain-timeout: 30s`, `enable-cors: true`), not as YAML would interpret them.
 */
export async function readFileSettings(
  file: string,
  options: readonly PlacedOption['option'][],
): Promise<Settings> {
  let content: string;
  try {
    const { size } = await stat(file);
    if (size > maxFileBytes) return failed(`${file}: larger than ${maxFileBytes} bytes`);
    content = await readFile(file, 'utf8');
  } catch (error) {
    return failed(`${file}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
  return parseFileSettings(file, content, options);
}

/** `readFileSettings` once the file is read. */
export function parseFileSettings(
  file: string,
  content: string,
  options: readonly PlacedOption['option'][],
): Settings {
  const { root, problem, lineOf } = readYamlTree(content);
  if (problem) return failed(`${file}:${problem.line}: ${problem.message}`);
  if (root === undefined || (root.kind === 'scalar' && scalarOf(root) === null)) return failed();
  if (root.kind !== 'mapping')
    return failed(`${file}:${lineOf(root)}: expected a map of options by their flag names`);

  const known = options.filter(option => !option.flagOnly && option.flag !== 'config');
  const byName = new Map(
    known.flatMap(option => [option.flag, ...option.aliases].map(name => [name, option])),
  );
  const byFlag = new Map<string, Setting>();
  const mistakes: string[] = [];
  const names = new Set<string>();
  for (const { key, value } of root.items) {
    const name = key.kind === 'scalar' ? key.value : '';
    const where = `${file}:${lineOf(key)}: ${name}`;
    const option = byName.get(name);
    if (names.has(name)) mistakes.push(`${where} is given twice`);
    names.add(name);
    if (!option) {
      mistakes.push(`${where} is not an option${suggestion(name, [...byName.keys()])}`);
      continue;
    }
    const nodes = value.kind === 'sequence' && option.repeatable ? value.items : [value];
    const texts = nodes.map(sourceText);
    if (texts.every(text => text !== undefined)) byFlag.set(option.flag, { texts, where });
    else
      mistakes.push(
        `${where}: expected ${option.repeatable ? 'a text or a list of texts' : 'a single value'}`,
      );
  }
  return { byFlag, mistakes };
}

/** A quoted or block text's content, a plain scalar as it is written; null is empty. */
function sourceText(node: Node): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  return scalarOf(node) === null ? '' : node.value;
}

function failed(...mistakes: string[]): Settings {
  return { byFlag: new Map(), mistakes };
}
