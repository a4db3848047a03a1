import type { Config } from './config.ts';
import { needs, type Option } from './option.ts';
import { allOptions, optionGroups } from './options.ts';
import { environmentName } from './read-settings.ts';
import { masked, maskUrlCredentials } from './units.ts';

const textWidth = 96;
const indent = ' '.repeat(6);

/** The text of `--help`: every option by group with its values, its default and the options that it needs. */
export function helpText(): string {
  const groups = Object.values(optionGroups).map(
    ({ title, options }) => `\n${title}:\n${Object.values(options).map(optionText).join('')}`,
  );
  return `tiller-gateway: HTTP/JSON, gRPC and Tiller's own gRPC for Helm 2 releases, on one port.

Usage: tiller-gateway [flags]

Every flag can also be set as an environment variable (--drain-timeout as ${environmentName('drain-timeout')})
or in a YAML file named by --config; flags override the environment, which overrides the file.
${groups.join('')}`;
}

/** `--name PLACEHOLDER`, with its other names behind it. */
export function flagUsage({ flag, placeholder, aliases }: Option): string {
  const names = [flag, ...aliases].map(name => (name.length === 1 ? `-${name}` : `--${name}`));
  return `${names.join(', ')}${placeholder === '' ? '' : ` ${placeholder}`}`;
}

/** The default as help and docs/flags.md show it; empty where the option is simply not set. */
export function defaultText({ default: value, defaultWords }: Option): string {
  return defaultWords ?? value ?? '';
}

/** `needs --enable-cors`, or nothing. Without them a flag is refused, or ignored with a warning. */
function needsText({ needs: needed, lenient }: Option): string {
  if (needed.length === 0) return '';
  const words = needed.map(need => needs[need]).join(' and ');
  return lenient ? `ignored with a warning without ${words}` : `needs ${words}`;
}

function optionText(option: Option): string {
  const value = defaultText(option);
  const isPlain = value === '' || (option.placeholder === '' && option.default === 'false');
  return `  ${flagUsage(option)}\n${wrap(sentenceOf(option, isPlain ? '' : `default ${value}`))}\n`;
}

/** The summary with what may be given, the default, and what the option needs. */
export function sentenceOf(option: Option, shownDefault = ''): string {
  const range = option.placeholder === '' ? '' : option.range;
  const notes = [range, shownDefault, needsText(option)].filter(note => note !== '');
  return notes.length > 0 ? `${option.summary} (${notes.join('; ')})` : option.summary;
}

function wrap(sentence: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > textWidth) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map(part => indent + part).join('\n');
}

/**
 * The configuration as a YAML file that `--config` would read, defaults included, in the order of the tables; unset
 * options are left out. Secrets and credentials in URLs are masked, so such a file needs them put in again.
 */
export function formatConfig(config: Config): string {
  const inFile = allOptions.filter(
    ({ group, option }) => !option.flagOnly && option.flag !== 'config' && group !== 'swift',
  );
  const sections = [...Map.groupBy(inFile, ({ group }) => group)].map(([group, placed]) => {
    const values = config[group] as Readonly<Record<string, unknown>>;
    const lines = placed.flatMap(({ key, option }) => {
      const value = values[key] ?? undefined;
      return value === undefined ? [] : `${option.flag}: ${yamlValue(option, value)}\n`;
    });
    return lines.length === 0 ? '' : `# ${optionGroups[group].title}\n${lines.join('')}`;
  });
  return sections.filter(section => section !== '').join('\n');
}

function yamlValue({ secret, show }: Option, value: NonNullable<unknown>): string {
  const shown = secret ? masked : show(value);
  return typeof shown === 'string' ? yamlText(shown) : `[${shown.map(yamlText).join(', ')}]`;
}

/** Plain where YAML reads it back as the same text, else as JSON, which is YAML too. */
function yamlText(value: string): string {
  const safe = maskUrlCredentials(value);
  return /^[A-Za-z0-9/][\w./+-]*$/.test(safe) ? safe : JSON.stringify(safe);
}
