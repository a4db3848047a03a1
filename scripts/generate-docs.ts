/**
 * Writes docs/flags.md and the bounds in docs/security.md from the option tables, and docs/errors.md from the codes and
 * reasons.
 * `--check` writes nothing and fails when a file is stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  allOptions,
  defaultText,
  environmentName,
  flagUsage,
  optionGroups,
  type PlacedOption,
  sentenceOf,
} from '../src/config/index.ts';
import {
  Code,
  codeName,
  codeToHttpStatus,
  codeToReason,
  errorToHttpStatus,
  reasons,
} from '../src/protocol/index.ts';

const files: Record<string, string> = {
  'docs/flags.md': flagTables(),
  'docs/errors.md': errorTables(),
  'docs/security.md': withBounds(readFileSync('docs/security.md', 'utf8')),
};

for (const [file, text] of Object.entries(files)) {
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is stale: npm run generate`);
    process.exitCode = 1;
  }
}

/** The page with the table between its two marks written anew. @throws Error where a mark is missing */
function withBounds(page: string): string {
  const [before, rest] = page.split('<!-- generated: bounds -->\n');
  const after = rest?.split('<!-- end of bounds -->\n')[1];
  if (after === undefined) throw new Error('docs/security.md has lost the marks of its bounds');
  return `${before}<!-- generated: bounds -->\n${boundsTable()}<!-- end of bounds -->\n${after}`;
}

/** docs/flags.md: every option as a table row, by group. */
function flagTables(): string {
  const tables = Object.values(optionGroups).map(({ title, options }) => {
    const rows = Object.values(options).map(flagRow);
    return `\n## ${title}\n\n| flag | default | |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Flags

Generated from the option tables (\`npm run generate\`); \`--help\` prints the same.

Every flag can also be set as an environment variable (\`--drain-timeout\` as \`${environmentName('drain-timeout')}\`) or in a
YAML file named by \`--config\` (\`drain-timeout: 25s\`). Flags override the environment, which overrides the file.
\`--print-config\` shows the result. All mistakes are reported at once, and the program exits with 2. A flag that would have
no effect, because another one is missing, is such a mistake; the few exceptions say so below.
${tables.join('')}`;
}

/** The bounds of docs/security.md: every number, size and time limit that can be set. */
function boundsTable(): string {
  const bounds = allOptions.filter(
    ({ group, option }) => group !== 'swift' && ['N', 'SIZE', 'DURATION'].includes(option.placeholder),
  );
  const rows = bounds.map(({ option }) => {
    return `| \`--${option.flag}\` | \`${defaultText(option)}\` | ${option.summary} |`;
  });
  return `| flag | default | |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function flagRow(option: PlacedOption['option']): string {
  const value = defaultText(option);
  const shownDefault = value === '' || option.defaultWords ? value : `\`${value}\``;
  // a bar would end the cell, inside code as well
  const cells = [`\`${flagUsage(option)}\``, shownDefault, sentenceOf(option)];
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function errorTables(): string {
  const codes = Object.values(Code).filter(
    (code): code is Code => typeof code === 'number' && code !== Code.OK,
  );
  const codeRows = codes.map(
    code => `| ${code} | \`${codeName(code)}\` | ${codeToHttpStatus(code)} | \`${codeToReason(code)}\` |`,
  );
  const reasonRows = Object.entries(reasons).map(([reason, meaning]) => {
    const of = codes.map(code => errorToHttpStatus({ code, reason: reason as keyof typeof reasons }));
    const own = new Set(of).size === 1 ? ` (HTTP ${of[0]})` : '';
    return `| \`${reason}\` | ${meaning}${own} |`;
  });
  return `# Errors

Generated from \`src/protocol\` (\`npm run generate\`).

Every error is an HTTP status and this JSON:

\`\`\`json
{
  "code": 14,
  "message": "finding Tiller: no ready pod in any namespace has the labels app=helm,name=tiller",
  "reason": "UPSTREAM_UNREACHABLE",
  "step": "finding Tiller"
}
\`\`\`

| field | meaning |
|---|---|
| \`code\` | a google.rpc code; over gRPC the status of the call |
| \`message\` | a sentence for people. Where Tiller failed it is Tiller's own text. It may change: no client should parse it |
| \`reason\` | one word of the list below, for clients to branch on. The list only grows |
| \`step\` | the step on the path to Tiller that failed; only where one did |

Messages hold no password, token or key. The log has the cause under the same \`X-Request-Id\`.

## Reasons

| reason | meaning |
|---|---|
${reasonRows.join('\n')}

## Codes
The HTTP status of an error is that of its code, unless its reason has one of its own (above).

| code | name | HTTP | reason where no better one fits |
|---|---|---|---|
${codeRows.join('\n')}
`;
}
