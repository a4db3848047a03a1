import { readFile, stat } from 'node:fs/promises';
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

/** `readFileSettings` once the file is read. The YAML library is loaded here, as most runs have no file. */
export async function parseFileSettings(
  file: string,
  content: string,
  options: readonly PlacedOption['option'][],
): Promise<Settings> {
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line}`;
  if (document.errors.length > 0) {
    return {
      byFlag: new Map(),
      mistakes: document.errors.map(error => `${at(error.pos[0])}: ${error.message}`),
    };
  }
  if (document.contents === null) return failed();
  if (!isMap(document.contents)) return failed(`${at(0)}: expected a map of options by their flag names`);

  const known = options.filter(option => !option.flagOnly && option.flag !== 'config');
  const byName = new Map(
    known.flatMap(option => [option.flag, ...option.aliases].map(name => [name, option])),
  );
  const byFlag = new Map<string, Setting>();
  const mistakes: string[] = [];
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? (key.source ?? '') : '';
    const where = `${at(isScalar(key) ? key.range?.[0] : 0)}: ${name}`;
    const option = byName.get(name);
    if (!option) {
      mistakes.push(`${where} is not an option${suggestion(name, [...byName.keys()])}`);
      continue;
    }
    const nodes = isSeq(value) && option.repeatable ? value.items : [value];
    const texts = nodes.map(node => (isScalar(node) && !isAlias(node) ? sourceText(node) : undefined));
    if (texts.every(text => text !== undefined)) byFlag.set(option.flag, { texts, where });
    else
      mistakes.push(
        `${where}: expected ${option.repeatable ? 'a text or a list of texts' : 'a single value'}`,
      );
  }
  return { byFlag, mistakes };
}

/** A quoted or block text's content, a plain scalar as it is written; null is empty. */
function sourceText(node: { value: unknown; source?: string | undefined }): string {
  if (node.value === null || node.value === undefined) return '';
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function failed(...mistakes: string[]): Settings {
  return { byFlag: new Map(), mistakes };
}
