/**
 * Writes the README's table of flags between its markers, from the option tables.
 * `--check` writes nothing and fails when the table is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { defaultText, flagUsage } from '../src/config/help.ts';
import { allOptions, groupTitles, optionGroups, type PlacedOption } from '../src/config/options/index.ts';

const file = 'README.md';
const [begin, end] = ['<!-- flags: begin (npm run generate) -->', '<!-- flags: end -->'];

const readme = readFileSync(file, 'utf8');
const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
if (from < 0 || to < from) fail(`${file} has no markers ${begin} and ${end}`);
const written = `${readme.slice(0, from + begin.length)}\n${flagTables()}\n${readme.slice(to)}`;

if (!process.argv.includes('--check')) writeFileSync(file, written);
else if (written !== readme) fail(`the flags in ${file} are stale: npm run generate`);

function flagTables(): string {
  return Object.keys(optionGroups)
    .map(group => ({ group, options: allOptions.filter(placed => placed.group === group) }))
    .filter(({ options }) => options.length > 0)
    .map(({ group, options }) => {
      const title = groupTitles[group as keyof typeof optionGroups];
      return `\n**${title}**\n\n| flag | default | |\n|---|---|---|\n${options.map(row).join('\n')}\n`;
    })
    .join('');
}

function row({ option }: PlacedOption): string {
  const value = defaultText(option);
  const shownDefault = value === '' || option.defaultWords ? value : `\`${value}\``;
  const range = option.placeholder === '' || option.range === '' ? '' : ` (${option.range})`;
  return `| ${[`\`${flagUsage(option)}\``, shownDefault, option.summary + range].map(cell).join(' | ')} |`;
}

/** A bar would end the cell, inside code as well. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
