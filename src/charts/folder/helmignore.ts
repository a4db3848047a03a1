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
const maxLength = 64 * 1024;
/** RE2 tries them all at once for each character of a path: this many take 10 ms for a path of 200. */
const maxWildcards = 1_000;
/** Rules and wildcards times characters, of all files together: 5 s; a real chart of 10,000 files takes a tenth. */
const maxWork = 100_000_000;

/**
 * Reads a .helmignore file (pkg/ignore of Helm 2.17). The first rule that decides ends the search; a rule with `!` in front leaves out
 * everything that it does not match.
 * @throws GatewayError INVALID_ARGUMENT when a rule has `**` or cannot be read, or the rules would take too long
 */
export function parseHelmIgnore(text: string): IgnoreRules {
  if (text.length > maxLength) throw invalidArgument(`.helmignore: more than ${maxLength} characters`);
  const lines = [...text.split(/\r?\n/), defaultRule];
  let wildcards = 0;
  const rules = lines
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map((line, index) => {
      if (index > maxRules) throw invalidArgument(`.helmignore: more than ${maxRules} rules`);
      wildcards += line.match(/[*?[]/g)?.length ?? 0;
      if (wildcards > maxWildcards) throw invalidArgument(`.helmignore: more than ${maxWildcards} wildcards`);
      return parseRule(line);
    });
  let work = 0;
  return (path, isFolder) => {
    work += (rules.length + wildcards) * path.length;
    if (work > maxWork) throw invalidArgument('.helmignore: the rules take too long for so many files');
    const decides = ({ isNegated, foldersOnly, matches }: IgnoreRule) =>
      isNegated !== ((!foldersOnly || isFolder) && matches(path));
    return rules.some(decides);
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
  let expression = '';
  let at = 0;
  while (at < pattern.length) {
    globPart.lastIndex = at;
    const [part, negated, inner, escaped, plain] = globPart.exec(pattern) ?? [];
    if (part === undefined) throw invalidArgument('syntax error in pattern');
    if (part === '*') expression += '[^/]*';
    else if (part === '?') expression += '[^/]';
    else if (inner !== undefined) expression += classExpression(inner, negated !== undefined);
    else expression += escapeRegExp(escaped ?? plain ?? '');
    at += part.length;
  }
  // linear in the path, whatever the pattern
  const compiled = RE2JS.compile(expression);
  return path => compiled.matches(path);
}

/** `*`, `?`, a class, or a character; `]` is no end where it stands first in a class. */
const globPart = /\*|\?|\[(?:(\^)|(?!\^))((?:\\.|[^\\])(?:\\.|[^\\\]])*)\]|\\(.)|([^\\[])/suy;
/** A character of a class, or a range from one to another. */
const classPart = /\\?(.)(?:-\\?(.|$))?/gsu;

/** A class is matched against one character, `/` too, as in Go. */
function classExpression(inner: string, isNegated: boolean): string {
  const ranges = Array.from(inner.matchAll(classPart), ([, from = '', to = from]) => [from, to] as const);
  if (ranges.some(([, to]) => to === '')) throw invalidArgument('syntax error in pattern');
  // a reversed range matches nothing
  const expression = ranges
    .filter(([from, to]) => from.codePointAt(0)! <= to.codePointAt(0)!)
    .map(([from, to]) => `${escapeClass(from)}-${escapeClass(to)}`)
    .join('');
  if (expression === '') return isNegated ? '[\\s\\S]' : '[^\\s\\S]';
  return isNegated ? `[^${expression}]` : `[${expression}]`;
}

function escapeRegExp(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

function escapeClass(character: string): string {
  return character.replace(/[\\\]^-]/, '\\$&');
}
