import { basename } from 'node:path/posix';
import { invalidArgument } from '../../protocol/index.ts';
import { parseGlob } from './glob.ts';

interface IgnoreRule {
  readonly isNegated: boolean;
  readonly foldersOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/** Says whether a file or folder, named by its path below the chart's folder, is left out. */
export type IgnoreRules = (path: string, isFolder: boolean) => boolean;

/** Hidden files in templates/ are always left out. */
const defaultRule = 'templates/.?*';

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
    .map(parseRule);
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
