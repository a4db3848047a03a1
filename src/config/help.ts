import { allOptions, groupTitles, optionGroups, type PlacedOption } from './options/index.ts';
import { environmentName } from './read-environment.ts';

const textWidth = 96;
const indent = ' '.repeat(6);

/** The text of `--help`: every option by group with what it takes, its default and its environment variable. */
export function helpText(): string {
  const groups = Object.keys(optionGroups).map(group => {
    const options = allOptions.filter(placed => placed.group === group);
    if (options.length === 0) return '';
    return `\n${groupTitles[group as keyof typeof optionGroups]}:\n${options.map(optionText).join('')}`;
  });
  return `tiller-gateway: HTTP/JSON, gRPC and Tiller's own gRPC for Helm 2 releases, on one port.

Usage: tiller-gateway [flags]

Every flag can also be set as an environment variable (--drain-timeout as ${environmentName('drain-timeout')})
or in a YAML file named by --config; flags win over the environment, which wins over the file.
${groups.join('')}`;
}

/** `--name PLACEHOLDER`, with its other names behind it. */
export function flagUsage({ flag, placeholder, aliases }: PlacedOption['option']): string {
  const names = [flag, ...aliases].map(name => (name.length === 1 ? `-${name}` : `--${name}`));
  return `${names.join(', ')}${placeholder === '' ? '' : ` ${placeholder}`}`;
}

/** The default as help and README show it; empty where the option is simply not set. */
export function defaultText({ default: value, defaultWords }: PlacedOption['option']): string {
  return defaultWords ?? value ?? '';
}

function optionText({ option }: PlacedOption): string {
  const notes = [
    option.placeholder === '' || option.range === '' ? '' : option.range,
    defaultText(option) === '' || (option.placeholder === '' && option.default === 'false')
      ? ''
      : `default ${defaultText(option)}`,
  ].filter(note => note !== '');
  const sentence = notes.length > 0 ? `${option.summary} (${notes.join('; ')})` : option.summary;
  return `  ${flagUsage(option)}\n${wrap(sentence)}\n`;
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
