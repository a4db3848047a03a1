import { readFile, stat } from 'node:fs/promises';
import type { Node } from 'js-yaml';
import { readYamlTree, scalarOf } from '../yaml/index.ts';
import type { Option } from './option.ts';

/** The value of an option in one source (flags, environment, file), not yet read. */
export interface Setting {
  readonly texts: readonly string[];
  /** How to name it to the user: `--addr`, `TILLER_GATEWAY_ADDR`, `gateway.yaml:3 addr`. */
  readonly where: string;
}

/** One source. Settings are by the option's flag, never by an alias. */
export interface Settings {
  readonly byFlag: ReadonlyMap<string, Setting>;
  /** Mistakes in the source itself, such as names that are not options. */
  readonly mistakes: readonly string[];
}

const prefix = 'TILLER_GATEWAY_';

/**
 * Reads the command line: `--name value`, `--name=value`, `--name` and `--no-name` for booleans, `-h`. The last of
 * several wins, but a repeatable option keeps them all. Swift's command `run` is skipped, and its commands `version`
 * and `help` are taken for flags; `-v3` is `-v=3`. Mistakes are collected, not thrown; values are not looked at.
 */
export function readFlags(argv: readonly string[], options: readonly Option[]): Settings {
  const byName = optionsByName(options);
  const byFlag = new Map<string, Setting>();
  const mistakes: string[] = [];
  const rest = [...argv];
  while (rest.length > 0) {
    const next = rest.shift()!;
    if (next === 'run') continue;
    const isCommand = next === 'version' || next === 'help';
    const word = isCommand ? `--${next}` : next.replace(/^-([a-z])(-?\d+)$/, '-$1=$2');
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(word);
    if (!match) {
      mistakes.push(`${JSON.stringify(word)} is not a flag: flags start with --`);
      continue;
    }
    const [, name = '', attached] = match;
    const negated = byName.get(name.replace(/^no-/, ''));
    const option = byName.get(name) ?? (negated && isBoolean(negated) ? negated : undefined);
    if (!option) {
      const flags = [...byName.keys()].map(known => `--${known}`);
      mistakes.push(`--${name} is not a flag${suggestion(`--${name}`, flags)}`);
      if (attached === undefined && isValue(rest[0])) rest.shift();
      continue;
    }
    const text = takeValue(option, { name, attached, rest, negated: !byName.has(name) });
    if (text === undefined) mistakes.push(`--${name} needs a value: --${name} ${option.placeholder}`);
    else add(byFlag, option, { texts: [text], where: isCommand ? next : `--${name}` });
  }
  return { byFlag, mistakes };
}

/** The options by all their names. */
function optionsByName(
  options: readonly Option[],
  nameOf = (flag: string) => flag,
): ReadonlyMap<string, Option> {
  return new Map(
    options.flatMap(option => [option.flag, ...option.aliases].map(name => [nameOf(name), option])),
  );
}

/** The text of a flag's value, from the next word unless it is attached; nothing where it is missing. */
function takeValue(
  option: Option,
  given: { name: string; attached: string | undefined; rest: string[]; negated: boolean },
): string | undefined {
  if (given.negated) return given.attached === undefined ? 'false' : undefined;
  if (given.attached !== undefined) return given.attached;
  if (isBoolean(option)) return 'true';
  return isValue(given.rest[0]) ? given.rest.shift() : undefined;
}

function add(byFlag: Map<string, Setting>, option: Option, setting: Setting): void {
  const before = option.repeatable ? (byFlag.get(option.flag)?.texts ?? []) : [];
  byFlag.set(option.flag, { ...setting, texts: [...before, ...setting.texts] });
}

function isBoolean(option: Option): boolean {
  return option.placeholder === '';
}

/** A word that starts with two dashes is the next flag; a value that does can be attached with `=`. */
function isValue(word: string | undefined): word is string {
  return word !== undefined && !word.startsWith('--');
}

/**
 * Kubernetes puts such variables into every container for each Service of the namespace, so a Service called
 * `tiller-gateway` or `tiller-gateway-…` makes names with this prefix.
 * Rule: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const serviceLink =
  /_SERVICE_(?:HOST|PORT(?:_.+)?)$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/;

/** `drain-timeout` → `TILLER_GATEWAY_DRAIN_TIMEOUT`. */
export function environmentName(flag: string): string {
  return prefix + flag.replaceAll('-', '_').toUpperCase();
}

/**
 * Reads the variables that start with `TILLER_GATEWAY_`. An empty one counts as not set. Unknown ones are mistakes,
 * except those that Kubernetes sets itself.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  options: readonly Option[],
): Settings {
  const byName = optionsByName(
    options.filter(option => !option.flagOnly),
    environmentName,
  );
  const knownNames = [...byName.keys()].map(name => name.slice(prefix.length));
  const byFlag = new Map<string, Setting>();
  const mistakes: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || !text) continue;
    const option = byName.get(name);
    if (option) byFlag.set(option.flag, { texts: [text], where: name });
    else if (!serviceLink.test(name)) {
      mistakes.push(
        `${name} is not a variable of this program${suggestion(name.slice(prefix.length), knownNames, prefix)}`,
      );
    }
  }
  return { byFlag, mistakes };
}

/**
 * `; did you mean NAME?` for the known name nearest to a mistyped one, or nothing where none is near.
 * @param prefix what all names start with when they are shown, so that it does not count as likeness
 */
export function suggestion(typed: string, known: readonly string[], prefix = ''): string {
  if (typed.length > 64) return ''; // the distance costs length × length
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const name of known) {
    if (name.length < 3) continue; // near to everything short
    const distance = editDistance(typed, name);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best === undefined ? '' : `; did you mean ${prefix}${best}?`;
}

/** Insertions, deletions and replacements that turn one text into the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced));
    }
    row = next;
  }
  return row[to.length]!;
}

/** More than any configuration needs; a wrong path such as a log file or a device must not fill the memory. */
const maxFileBytes = 1024 * 1024;

/**
 * Reads a YAML file of options by their flag names; a repeatable one may be a list. Values are taken as they are
 * written (`drain-timeout: 30s`, `enable-cors: true`), not as YAML would interpret them.
 */
export async function readFileSettings(file: string, options: readonly Option[]): Promise<Settings> {
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
export function parseFileSettings(file: string, content: string, options: readonly Option[]): Settings {
  const { root, problem, lineOf } = readYamlTree(content);
  if (problem) return failed(`${file}:${problem.line}: ${problem.message}`);
  if (root === undefined || (root.kind === 'scalar' && scalarOf(root) === null)) return failed();
  if (root.kind !== 'mapping')
    return failed(`${file}:${lineOf(root)}: expected a map of options by their flag names`);

  const byName = optionsByName(options.filter(option => !option.flagOnly && option.flag !== 'config'));
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
