/**
 * Versions and ranges as Helm 2 compares them: github.com/Masterminds/semver 1.x, whose ranges differ from npm's (`,` joins
 * conditions, spaces do not; `^0.2` reaches below 1.0.0; a pre-release matches only a condition that names one; `1.2` may
 * stand for 1.2.0).
 */

export type VersionNumber = number | bigint;

export interface Version {
  /** Those that a number holds exactly are numbers, the others bigints: equal ones are of one type. */
  readonly numbers: readonly [VersionNumber, VersionNumber, VersionNumber];
  /** Without the leading `-`; empty on a release. */
  readonly prerelease: string;
}

interface Condition {
  readonly operator: string;
  readonly version: Version;
  /** Part of the version was left open: `*`, `1`, `1.x`, `1.2.x`. */
  readonly open: boolean;
  readonly minorOpen: boolean;
  readonly patchOpen: boolean;
}

export type VersionConstraint = (version: Version) => boolean;

const suffix = '(-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?';
const versionPattern = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?${suffix}$`);
const openVersion = `v?([0-9|xX*]+)(?:\\.([0-9|xX*]+))?(?:\\.([0-9|xX*]+))?${suffix}`;
const conditionPattern = new RegExp(`^\\s*(=|!=|>|<|>=|=>|<=|=<|~|~>|\\^|)\\s*${openVersion}\\s*$`);
const hyphenPattern = new RegExp(`\\s*(${openVersion})\\s+-\\s+(${openVersion})\\s*`, 'g');

/** No version or range is longer; keeps the patterns' work small. */
const maxLength = 256;

/** Reads a version, `v` in front and missing numbers allowed; undefined when the text is none. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > maxLength) return undefined;
  const match = versionPattern.exec(text);
  if (!match) return undefined;
  const [, major = '0', minor = '0', patch = '0', , prerelease = ''] = match;
  const numbers = [toNumber(major), toNumber(minor), toNumber(patch)] as const;
  // Go's parser keeps each number in 64 bits
  return numbers.some(number => number >= 2n ** 63n) ? undefined : { numbers, prerelease };
}

function toNumber(digits: string): VersionNumber {
  const number = Number(digits);
  return number <= Number.MAX_SAFE_INTEGER ? number : BigInt(digits);
}

/** Negative when `a` comes before `b`, 0 when they are equal; build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    const [first, second] = [a.numbers[index], b.numbers[index]];
    if (first !== second) return first < second ? -1 : 1;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return comparePrereleases(a.prerelease.split('.'), b.prerelease.split('.'));
}

function comparePrereleases(a: string[], b: string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = comparePrereleaseParts(a[index] ?? '', b[index] ?? '');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers come before words, and the shorter list before the longer. */
function comparePrereleaseParts(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return -1;
  if (b === '') return 1;
  const numeric = [/^\d+$/.test(a), /^\d+$/.test(b)] as const;
  if (numeric[0] && numeric[1]) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Reads a range such as `^1.2`, `>=1.0, <2.0 || 3.x` or `1.2 - 1.4`; undefined when it cannot be read. */
export function parseConstraint(text: string): VersionConstraint | undefined {
  if (text.length > maxLength) return undefined;
  const alternatives: Condition[][] = [];
  for (const alternative of rewriteHyphens(text).split('||')) {
    const conditions = alternative.split(',').map(parseCondition);
    if (conditions.some(condition => condition === undefined)) return undefined;
    alternatives.push(conditions as Condition[]);
  }
  return version => alternatives.some(conditions => conditions.every(condition => holds(condition, version)));
}

/** `1.2 - 1.4` means `>= 1.2, <= 1.4`. */
function rewriteHyphens(text: string): string {
  return text.replace(
    hyphenPattern,
    (_all, from: string, _1, _2, _3, _4, _5, to: string) => `>= ${from}, <= ${to}`,
  );
}

function parseCondition(text: string): Condition | undefined {
  const match = conditionPattern.exec(text);
  if (!match) return undefined;
  const [, operator = '', major = '', minor = '', patch, prerelease = ''] = match;
  const isOpen = (part: string) => part === 'x' || part === 'X' || part === '*';
  const minorOpen = !isOpen(major) && (minor === '' || isOpen(minor));
  const patchOpen = !isOpen(major) && !minorOpen && patch !== undefined && isOpen(patch);
  let written = `${major}.${minor}${patch === undefined ? '' : `.${patch}`}${prerelease}`;
  if (isOpen(major)) written = '0.0.0';
  else if (minorOpen) written = `${major}.0.0${prerelease}`;
  else if (patchOpen) written = `${major}.${minor}.0${prerelease}`;
  const version = parseVersion(written);
  if (!version) return undefined;
  return { operator, version, open: isOpen(major) || minorOpen || patchOpen, minorOpen, patchOpen };
}

function holds(condition: Condition, version: Version): boolean {
  const { operator, version: bound } = condition;
  const unwanted = version.prerelease !== '' && bound.prerelease === '';
  const order = compareVersions(version, bound);
  switch (operator) {
    case '!=':
      return condition.open ? !unwanted && differs(condition, version) : order !== 0;
    case '>':
      return (isZero(bound) && !isZero(version)) || (!unwanted && order > 0);
    case '>=':
    case '=>':
      return (isZero(bound) && !isZero(version)) || (!unwanted && order >= 0);
    case '<':
      return !unwanted && (condition.open ? isWithin(condition, version) : order < 0);
    case '<=':
    case '=<':
      return !unwanted && (condition.open ? isWithin(condition, version) : order <= 0);
    case '^':
      return !unwanted && order >= 0 && version.numbers[0] === bound.numbers[0];
    case '~':
    case '~>':
      return !unwanted && isNear(condition, version);
    default:
      return !unwanted && (condition.open ? isNear(condition, version) : order === 0);
  }
}

function isZero(version: Version): boolean {
  return version.prerelease === '' && version.numbers.every(number => number === 0);
}

function differs({ version: bound, minorOpen }: Condition, version: Version): boolean {
  if (bound.numbers[0] !== version.numbers[0]) return true;
  return !minorOpen && bound.numbers[1] !== version.numbers[1];
}

/** Not above an open upper bound: `<2.x` lets all of 2 pass. */
function isWithin({ version: bound, minorOpen }: Condition, version: Version): boolean {
  if (version.numbers[0] > bound.numbers[0]) return false;
  return minorOpen || version.numbers[1] <= bound.numbers[1];
}

/** `~1.2.3`: at least that, and the same major and minor number; `~0.0.0` lets everything pass. */
function isNear({ version: bound, minorOpen, patchOpen }: Condition, version: Version): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (isZeroNumbers(bound) && !minorOpen && !patchOpen) return true;
  if (version.numbers[0] !== bound.numbers[0]) return false;
  return minorOpen || version.numbers[1] === bound.numbers[1];
}

function isZeroNumbers(version: Version): boolean {
  return version.numbers.every(number => number === 0);
}
