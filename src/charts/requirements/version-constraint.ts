/**
 * Versions and ranges as Helm compares them, which differ from npm's.
 * Helm 2: github.com/Masterminds/semver 1.x. `,` joins conditions, spaces do not; `^0.2` reaches below 1.0.0; a pre-release matches
 * only a condition that names one; `1.2` may stand for 1.2.0.
 * Helm 3: github.com/Masterminds/semver 3.3. Spaces join conditions as commas do, `^0.2` stays below 0.3.0, and no pre-release is
 * above `0.0.0`.
 */

export type VersionNumber = number | bigint;

export interface Version {
  /** Those that a number holds exactly are numbers, the others bigints: equal ones are of one type. */
  readonly numbers: readonly [VersionNumber, VersionNumber, VersionNumber];
  /** Without the leading `-`; empty on a release. */
  readonly prerelease: string;
}

export type VersionConstraint = (version: Version) => boolean;

const suffix = '(-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?';
const versionPattern = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?${suffix}$`);

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

const open = '[0-9|xX*]+';
const openNumbers = `v?(${open})(?:\\.(${open}))?(?:\\.(${open}))?`;
const openVersion = `${openNumbers}${suffix}`;
/** Two versions, each with the five groups of its parts: `1.2 - 1.4` means `>= 1.2, <= 1.4`. */
const hyphenPattern = new RegExp(`\\s*(${openVersion})\\s+-\\s+(${openVersion})\\s*`, 'g');
const conditionPattern = new RegExp(`^\\s*(=|!=|>|<|>=|=>|<=|=<|~|~>|\\^|)\\s*${openVersion}\\s*$`);
/** One condition of Helm 3 from a place on, and what ends it: a comma, white space, or the end. */
const nextCondition = new RegExp(
  `\\s*(>=|=>|<=|=<|!=|~>|=|>|<|~|\\^|)\\s*${openNumbers}(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z.-]+)?(?:\\s*,|\\s+|$)`,
  'y',
);

interface Condition {
  readonly operator: string;
  readonly version: Version;
  /** Part of the version was left open: `*`, `1`, `1.x`, `1.2.x`. */
  readonly open: boolean;
  readonly minorOpen: boolean;
  readonly patchOpen: boolean;
}

/** Reads a range of Helm 2 such as `^1.2`, `>=1.0, <2.0 || 3.x` or `1.2 - 1.4`; undefined when it cannot be read. */
export function parseConstraint(text: string): VersionConstraint | undefined {
  return toConstraint(text, '>= $1, <= $7', parseHelm2Conditions, holdsInHelm2);
}

/** Reads a range of Helm 3 such as `>=1.2 <2.0 || ^3`; undefined when it cannot be read. */
export function parseHelm3Constraint(text: string): VersionConstraint | undefined {
  return toConstraint(text, '>= $1, <= $7 ', parseHelm3Conditions, holdsInHelm3);
}

/** @param fromTo what takes the place of a hyphen's two versions */
function toConstraint(
  text: string,
  fromTo: string,
  parse: (text: string) => readonly (Condition | undefined)[],
  holds: (condition: Condition, version: Version) => boolean,
): VersionConstraint | undefined {
  if (text.length > maxLength) return undefined;
  const alternatives = text.replace(hyphenPattern, fromTo).split('||').map(parse);
  if (alternatives.flat().includes(undefined)) return undefined;
  const conditions = alternatives as readonly (readonly Condition[])[];
  return version => conditions.some(all => all.every(condition => holds(condition, version)));
}

function parseHelm2Conditions(text: string): (Condition | undefined)[] {
  return text.split(',').map(part => {
    const match = conditionPattern.exec(part);
    return match ? toCondition(match, false) : undefined;
  });
}

function parseHelm3Conditions(text: string): (Condition | undefined)[] {
  const conditions: (Condition | undefined)[] = [];
  const trimmed = text.trim();
  nextCondition.lastIndex = 0;
  do {
    const match = nextCondition.exec(trimmed);
    if (!match) return [undefined];
    conditions.push(toCondition(match, true));
  } while (nextCondition.lastIndex < trimmed.length);
  return trimmed.endsWith(',') ? [undefined] : conditions;
}

/** Helm 2 takes a missing patch number for 0, Helm 3 for one left open. */
function toCondition(
  [, operator = '', major = '', minor, patch, prerelease = '']: RegExpExecArray,
  isHelm3: boolean,
): Condition | undefined {
  const parts = [major, minor ?? 'x', patch ?? (isHelm3 ? 'x' : '0')];
  const firstOpen = parts.findIndex(part => /^[xX*]$/.test(part));
  const open = firstOpen >= 0;
  const numbers = parts.map((part, at) => (open && at >= firstOpen ? '0' : part)).join('.');
  const version = parseVersion(firstOpen === 0 && !isHelm3 ? numbers : `${numbers}${prerelease}`);
  return version && { operator, version, open, minorOpen: firstOpen === 1, patchOpen: firstOpen === 2 };
}

function holdsInHelm2(condition: Condition, version: Version): boolean {
  const { operator, version: bound } = condition;
  const unwanted = version.prerelease !== '' && bound.prerelease === '';
  const order = compareVersions(version, bound);
  switch (operator) {
    case '!=':
      return condition.open ? !unwanted && differsInHelm2(condition, version) : order !== 0;
    case '>':
      return !unwanted && order > 0;
    case '>=':
    case '=>':
      return !unwanted && order >= 0;
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

function differsInHelm2({ version: bound, minorOpen }: Condition, version: Version): boolean {
  if (bound.numbers[0] !== version.numbers[0]) return true;
  return !minorOpen && bound.numbers[1] !== version.numbers[1];
}

/** Not above an open upper bound: `<2.x` lets all of 2 pass. */
function isWithin({ version: bound, minorOpen }: Condition, version: Version): boolean {
  if (version.numbers[0] > bound.numbers[0]) return false;
  return minorOpen || version.numbers[1] <= bound.numbers[1];
}

/** `~1.2.3`: at least that, and the same major and minor number; `~0.0.0` lets everything pass, and so does `*` of Helm 3. */
function isNear({ version: bound, minorOpen, patchOpen }: Condition, version: Version): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (bound.numbers.every(number => number === 0) && !minorOpen && !patchOpen) return true;
  if (version.numbers[0] !== bound.numbers[0]) return false;
  return minorOpen || version.numbers[1] === bound.numbers[1];
}

function holdsInHelm3(condition: Condition, version: Version): boolean {
  const { operator, version: bound, open, minorOpen } = condition;
  // a pre-release matches only a condition that names one
  if (version.prerelease !== '' && bound.prerelease === '') return false;
  const order = compareVersions(version, bound);
  const [major, minor] = version.numbers;
  const [boundMajor, boundMinor] = bound.numbers;
  switch (operator) {
    case '!=':
      return open ? differsInHelm3(condition, version) : order !== 0;
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

function differsInHelm3({ version: bound, minorOpen, patchOpen }: Condition, version: Version): boolean {
  if (bound.numbers[0] !== version.numbers[0]) return true;
  if (minorOpen) return false;
  if (bound.numbers[1] !== version.numbers[1]) return true;
  if (!patchOpen) return bound.numbers[2] !== version.numbers[2];
  return bound.prerelease !== version.prerelease;
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
