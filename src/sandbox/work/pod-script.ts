/**
 * What a pod would have done, guessed without running anything: enough of the shell to follow `echo checked; exit 3`.
 * Every other command counts as one that succeeds silently.
 */
export interface ScriptOutcome {
  readonly exitCode: number;
  readonly output: string;
}

/** Scripts are read up to here; what follows counts as succeeded. */
const maxScriptLength = 64 * 1024;

const shells = new Set(['sh', 'bash', 'ash', 'dash']);

/** @param words the container's command and arguments */
export function runCommand(words: readonly string[]): ScriptOutcome {
  const dashC = words.indexOf('-c');
  const script = words[dashC + 1];
  if (shells.has(programName(words[0])) && dashC > 0 && script !== undefined) return runScript(script);
  return runSimple(words);
}

function runScript(script: string): ScriptOutcome {
  let output = '';
  let exitCode = 0;
  for (const { operator, words } of splitCommands(script.slice(0, maxScriptLength))) {
    if (operator === '&&' && exitCode !== 0) continue;
    if (operator === '||' && exitCode === 0) continue;
    if (words.length === 0) continue;
    if (words[0] === 'exit') return { exitCode: toExitCode(words[1], exitCode), output };
    const outcome = runSimple(words);
    output += outcome.output;
    exitCode = outcome.exitCode;
  }
  return { exitCode, output };
}

function runSimple(words: readonly string[]): ScriptOutcome {
  const [program, ...rest] = words;
  switch (programName(program)) {
    case 'echo':
      return { exitCode: 0, output: rest[0] === '-n' ? rest.slice(1).join(' ') : `${rest.join(' ')}\n` };
    case 'false':
      return { exitCode: 1, output: '' };
    default:
      return { exitCode: 0, output: '' };
  }
}

function programName(path: string | undefined): string {
  return path?.slice(path.lastIndexOf('/') + 1) ?? '';
}

function toExitCode(word: string | undefined, last: number): number {
  return word !== undefined && /^\d{1,3}$/.test(word) ? Number(word) & 0xff : last;
}

interface Command {
  /** What stands before the command. */
  readonly operator: string;
  readonly words: string[];
}

/** One operator, one word with its quotes, or a run of blanks. */
const tokenPattern = /&&|\|\||[;\n&|]|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\[\s\S]|[^\s;&|"'\\])+|["'\\]|[^\S\n]+/g;

function splitCommands(script: string): Command[] {
  let current: Command = { operator: ';', words: [] };
  const commands = [current];
  for (const [token] of script.matchAll(tokenPattern)) {
    if (/^(?:&&|\|\||[;\n&|])$/.test(token)) {
      current = { operator: token, words: [] };
      commands.push(current);
    } else if (token.trim() !== '') {
      current.words.push(unquote(token));
    }
  }
  return commands;
}

function unquote(word: string): string {
  return word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\([\s\S])/g, (_all, double, single, escaped) =>
    double !== undefined ? String(double).replace(/\\(["\\$`])/g, '$1') : (single ?? escaped ?? ''),
  );
}
