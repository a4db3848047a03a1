import type { PlacedOption } from './options/index.ts';
import type { Setting, Settings } from './settings.ts';
import { suggestion } from './suggest.ts';

type AnyOption = PlacedOption['option'];

/**
 * Reads the command line: `--name value`, `--name=value`, `--name` and `--no-name` for booleans, `-h`. The last of
 * several wins, but a repeatable option keeps them all. A first word `run` is passed over, since swift's manifests
 * have it. Mistakes are collected, not thrown; values are not looked at.
 */
export function readFlags(argv: readonly string[], options: readonly AnyOption[]): Settings {
  const byName = new Map(
    options.flatMap(option => [option.flag, ...option.aliases].map(name => [name, option])),
  );
  const byFlag = new Map<string, Setting>();
  const mistakes: string[] = [];
  const rest = argv[0] === 'run' ? argv.slice(1) : [...argv];
  while (rest.length > 0) {
    const word = rest.shift()!;
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(word);
    if (!match) {
      mistakes.push(`${JSON.stringify(word)} is not a flag: flags start with --`);
      continue;
    }
    const [, name = '', attached] = match;
    const negated = byName.get(name.replace(/^no-/, ''));
    const option = byName.get(name) ?? (negated && isBoolean(negated) ? negated : undefined);
    if (!option) {
      mistakes.push(
        `--${name} is not a flag${suggestion(
          `--${name}`,
          [...byName.keys()].map(known => `--${known}`),
        )}`,
      );
      if (attached === undefined && isValue(rest[0])) rest.shift();
      continue;
    }
    const text = takeValue(option, { name, attached, rest, negated: !byName.has(name) });
    if (text === undefined) mistakes.push(`--${name} needs a value: --${name} ${option.placeholder}`);
    else add(byFlag, option, { texts: [text], where: `--${name}` });
  }
  return { byFlag, mistakes };
}

/** The text of a flag's value, taken from the words that follow where it is not attached; nothing where it is missing. */
function takeValue(
  option: AnyOption,
  given: { name: string; attached: string | undefined; rest: string[]; negated: boolean },
): string | undefined {
  if (given.negated) return given.attached === undefined ? 'false' : undefined;
  if (given.attached !== undefined) return given.attached;
  if (isBoolean(option)) return 'true';
  return isValue(given.rest[0]) ? given.rest.shift() : undefined;
}

function add(byFlag: Map<string, Setting>, option: AnyOption, setting: Setting): void {
  const before = option.repeatable ? (byFlag.get(option.flag)?.texts ?? []) : [];
  byFlag.set(option.flag, { ...setting, texts: [...before, ...setting.texts] });
}

function isBoolean(option: AnyOption): boolean {
  return option.placeholder === '';
}

/** A word that starts with two dashes is the next flag; a value that does can be attached with `=`. */
function isValue(word: string | undefined): word is string {
  return word !== undefined && !word.startsWith('--');
}
