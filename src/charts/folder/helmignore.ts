import { basename } from 'node:path/posix';
import { RE2JS } from 're2js';
import { invalidArgument } from '../../protocol/index.ts';

interface IgnoreRule {
  readonly isNegated: boolean;
  readonly foldersOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/** Says whether a file or folder, named by its path below the chart's folder, is left out. */
export type IgnoreRules = (path: string, isFolder: boolean) => boolean;

/** Hidden files in templates/ are always left out. */
const defaultRule = 'templates/.?*';

/** Each rule is tried on each file; real charts have some dozen. */
const maxRules = 1_000;
const maxRuleLength = 1_000;

/**
 * Reads a .helmignore file (pkg/ignore of Helm 2.17). The first rule that decides ends the search; a rule with `!` in front leaves out
 * everything that it does not match.
 * @throws GatewayError INVALID_ARGUMENT when a rule has `**` or cannot be read
 */
export function parseHelmIgnore(text: string): IgnoreRules {
  const lines = [...text.split(/\r?\n/), defaultRule];
  const rules = lines
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map((line, index) => {
      if (index > maxRules) throw invalidArgument(`.helmignore: more than ${maxRules} rules`);
      return parseRule(line);
    });
  return (path, isFolder) => {
    for (const { isNegated, foldersOnly, matches } of rules) {
      const fits = (!foldersOnly || isFolder) && matches(path);
      if (isNegated && !fits) return true;
      if (!isNegated && fits) return true;
    }
    return false;
  };
}

function parseRule(line: string): IgnoreRule {
  if (line.length > maxRuleLength) throw invalidArgument(`.helmignore: a rule longer than ${maxRuleLength}`);
  if (line.includes('**')) throw invalidArgument('.helmignore: double-star (**) syntax is not supported');
  const isNegated = line.startsWith('!');
  let pattern = isNegated ? line.slice(1) : line;
  const foldersOnly = pattern.endsWith('/');
  if (foldersOnly) pattern = pattern.slice(0, -1);
  const isRooted = pattern.startsWith('/');
  const matchesGlob = parseGlob(isRooted ? pattern.slice(1) : pattern);
  const matches = pattern.includes('/') ? matchesGlob : (path: string) => matchesGlob(basename(path));
  return { isNegated, foldersOnly, matches };
}

/**
 * A pattern of Go's filepath.Match as a test: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` are classes, `\` takes the next
 * character as it is.
 * @throws GatewayError INVALID_ARGUMENT when a class or an escape is not finished
 */
export function parseGlob(pattern: string): (path: string) => boolean {
  const characters = [...pattern];
  let expression = '';
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    switch (character) {
      case '*':
        expression += '[^/]*';
        break;
      case '?':
        expression += '[^/]';
        break;
      case '[': {
        const end = classEnd(characters, index);
        expression += classExpression(characters.slice(index + 1, end));
        index = end;
        break;
      }
      default:
        if (character === '\\') index++;
        expression += escapeRegExp(nextCharacter(characters, index));
    }
  }
  // linear in the path, whatever the pattern
  const compiled = RE2JS.compile(expression);
  return path => compiled.matches(path);
}

function nextCharacter(characters: readonly string[], index: number): string {
  const character = characters[index];
  if (character === undefined) throw invalidArgument('syntax error in pattern');
  return character;
}

function classEnd(characters: readonly string[], start: number): number {
  let index = start + 1;
  if (characters[index] === '^') index++;
  const first = index;
  while (characters[index] !== ']' || index === first) {
    if (nextCharacter(characters, index) === '\\') index++;
    index++;
  }
  return index;
}

/** A class is matched against one character, `/` too, as in Go. */
function classExpression(inner: readonly string[]): string {
  const negated = inner[0] === '^';
  let expression = '';
  for (let index = negated ? 1 : 0; index < inner.length; index++) {
    if (inner[index] === '\\') index++;
    const from = nextCharacter(inner, index);
    let to = from;
    if (inner[index + 1] === '-') {
      index += 2;
      if (inner[index] === '\\') index++;
      to = nextCharacter(inner, index);
    }
    // a reversed range matches nothing
    if ((from.codePointAt(0) ?? 0) <= (to.codePointAt(0) ?? 0))
      expression += `${escapeClass(from)}-${escapeClass(to)}`;
  }
  if (expression === '') return negated ? '[\\s\\S]' : '[^\\s\\S]';
  return negated ? `[^${expression}]` : `[${expression}]`;
}

function escapeRegExp(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

function escapeClass(character: string): string {
  return character.replace(/[\\\]^-]/, '\\$&');
}
