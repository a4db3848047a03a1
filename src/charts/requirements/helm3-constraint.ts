import { compareVersions, parseVersion, type Version, type VersionConstraint } from './version-constraint.ts';

/**
 * Ranges of versions as Helm 3 reads them: github.com/Masterminds/semver 3.3. They differ from Helm 2's: spaces join conditions
 * as commas do, `^0.2` stays below 0.3.0, and no pre-release is above `0.0.0`.
 */

interface Condition {
  readonly operator: string;
  readonly version: Version;
  /** Part of the version was left open: `*`, `1`, `1.2`. */
  readonly open: boolean;
  readonly minorOpen: boolean;
  readonly patchOpen: boolean;
}

const open = '[0-9xX*|]+';
const suffix = '(?:-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?';
const openVersion = `v?${open}(?:\\.${open})?(?:\\.${open})?${suffix}`;
const hyphens = new RegExp(`\\s*(${openVersion})\\s+-\\s+(${openVersion})\\s*`, 'g');
/** One condition from a place on, and what ends it: a comma, white space, or the end. */
const next = new RegExp(
  `\\s*(>=|=>|<=|=<|!=|~>|=|>|<|~|\\^|)\\s*v?(${open})(?:\\.(${open}))?(?:\\.(${open}))?(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z.-]+)?(?:\\s*,|\\s+|$)`,
  'y',
);

/** No range is longer; keeps the patterns' work small. */
const maxLength = 256;

/** Reads a range such as `>=1.2 <2.0 || ^3`; undefined when it cannot be read. */
export function parseHelm3Constraint(text: string): VersionConstraint | undefined {
  if (text.length > maxLength) return undefined;
  const written = text.replace(hyphens, (_all, from: string, to: string) => `>= ${from}, <= ${to} `);
  const alternatives: Condition[][] = [];
  for (const part of written.split('||')) {
    const conditions = parseConditions(part);
    if (!conditions) return undefined;
    alternatives.push(conditions);
  }
  return version => alternatives.some(conditions => conditions.every(condition => holds(condition, version)));
}

function parseConditions(text: string): Condition[] | undefined {
  const conditions: Condition[] = [];
  const trimmed = text.trim();
  next.lastIndex = 0;
  do {
    const match = next.exec(trimmed);
    const condition = match && toCondition(match);
    if (!condition) return undefined;
    conditions.push(condition);
    if (next.lastIndex === trimmed.length) return trimmed.endsWith(',') ? undefined : conditions;
  } while (next.lastIndex < trimmed.length);
  return conditions;
}

function toCondition(match: RegExpExecArray): Condition | undefined {
  const [, operator = '', major = '', minor, patch, prerelease = ''] = match;
  const isOpen = (part: string | undefined) => part === undefined || /^[xX*]$/.test(part);
  const allOpen = isOpen(major);
  const minorOpen = !allOpen && isOpen(minor);
  const patchOpen = !allOpen && !minorOpen && isOpen(patch);
  const numbers = allOpen
    ? '0.0.0'
    : minorOpen
      ? `${major}.0.0`
      : `${major}.${minor}.${patchOpen ? '0' : patch}`;
  const version = parseVersion(`${numbers}${prerelease}`);
  return version && { operator, version, open: allOpen || minorOpen || patchOpen, minorOpen, patchOpen };
}

function holds(condition: Condition, version: Version): boolean {
  const { operator, version: bound, open, minorOpen } = condition;
  // a pre-release matches only a condition that names one
  if (version.prerelease !== '' && bound.prerelease === '') return false;
  const order = compareVersions(version, bound);
  const [major, minor] = version.numbers;
  const [boundMajor, boundMinor] = bound.numbers;
  switch (operator) {
    case '!=':
      return open ? differs(condition, version) : order !== 0;
    case '>':
      if (!open || major !== boundMajor) return order > 0;
      if (minorOpen) return false;
      return condition.patchOpen ? minor > boundMinor : order > 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
    case '=<':
      if (!open) return order <= 0;
      return major < boundMajor || (major === boundMajor && (minorOpen || minor <= boundMinor));
    case '^':
      return order >= 0 && isCompatible(condition, version);
    case '~':
    case '~>':
      return isNear(condition, version);
    default:
      return open ? isNear(condition, version) : order === 0;
  }
}

function differs({ version: bound, minorOpen, patchOpen }: Condition, version: Version): boolean {
  if (bound.numbers[0] !== version.numbers[0]) return true;
  if (minorOpen) return false;
  if (bound.numbers[1] !== version.numbers[1]) return true;
  if (!patchOpen) return bound.numbers[2] !== version.numbers[2];
  return bound.prerelease !== version.prerelease;
}

/** `~1.2.3`: at least that, and the same major and minor number; `~0.0.0` and `*` let everything pass. */
function isNear({ version: bound, minorOpen, patchOpen }: Condition, version: Version): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (bound.numbers.every(number => number === 0) && !minorOpen && !patchOpen) return true;
  if (version.numbers[0] !== bound.numbers[0]) return false;
  return minorOpen || version.numbers[1] === bound.numbers[1];
}

/** `^`: the same numbers up to the first that is not 0. */
function isCompatible({ version: bound, minorOpen, patchOpen }: Condition, version: Version): boolean {
  const [major, minor, patch] = version.numbers;
  const [boundMajor, boundMinor, boundPatch] = bound.numbers;
  if (boundMajor !== 0 || minorOpen) return major === boundMajor;
  if (major !== 0) return false;
  if (boundMinor !== 0 || patchOpen) return minor === boundMinor;
  return minor === 0 && patch === boundPatch;
}
