/** Sprig's semantic versions: github.com/Masterminds/semver 1.x. https://masterminds.github.io/sprig/semver.html */

import type { Functions } from '../go/function.ts';
import { GoError, type GoFunction, goFunction } from '../go/function.ts';
import { GoStruct, type GoValue, int64 } from '../go/value.ts';
import { compareVersions, parseConstraint, parseVersion, type Version } from './version-constraint.ts';

const structType = '*semver.Version';

/** A Version as a template sees it: its parts are methods. */
function versionStruct(version: Version, metadata: string, original: string): GoStruct {
  const [major, minor, patch] = version.numbers;
  const { prerelease } = version;
  const text = `${major}.${minor}.${patch}${prerelease && `-${prerelease}`}${metadata && `+${metadata}`}`;
  const getter = (value: GoValue, result: string) => goFunction([], () => value, { result });
  const increase = (numbers: Version['numbers']) =>
    goFunction([], () => versionStruct({ numbers, prerelease: '' }, '', ''), { result: 'semver.Version' });
  const comparison = (compare: (order: number) => GoValue, result: string) =>
    goFunction([structType], ([other]) => compare(compareVersions(version, versionOf(other!))), { result });
  const methods: [string, GoFunction][] = [
    ['Major', getter(int64(major), 'int64')],
    ['Minor', getter(int64(minor), 'int64')],
    ['Patch', getter(int64(patch), 'int64')],
    ['Prerelease', getter(prerelease, 'string')],
    ['Metadata', getter(metadata, 'string')],
    ['Original', getter(original, 'string')],
    ['String', getter(text, 'string')],
    // A pre-release is raised to its own release.
    ['IncPatch', increase(prerelease === '' ? [major, minor, patch + 1n] : [major, minor, patch])],
    ['IncMinor', increase([major, minor + 1n, 0n])],
    ['IncMajor', increase([major + 1n, 0n, 0n])],
    ['Compare', comparison(order => BigInt(Math.sign(order)), 'int')],
    ['LessThan', comparison(order => order < 0, 'bool')],
    ['GreaterThan', comparison(order => order > 0, 'bool')],
    ['Equal', comparison(order => order === 0, 'bool')],
  ];
  return new GoStruct(structType, { methods, text: () => text, json: () => text, inner: version });
}

function versionOf(value: GoValue): Version {
  return (value as GoStruct).inner as Version;
}

function readVersion(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new GoError('Invalid Semantic Version');
  return version;
}

function satisfies(constraint: string, version: string): boolean {
  const test = parseConstraint(constraint);
  if (test === undefined) throw new GoError(`improper constraint: ${constraint}`);
  return test(readVersion(version));
}

export const semverFunctions: Functions = [
  [
    'semver',
    goFunction(
      ['string'],
      ([text]) => {
        const version = readVersion(text as string);
        const [, metadata = ''] = /\+(.*)$/.exec(text as string) ?? [];
        return versionStruct(version, metadata, text as string);
      },
      { result: structType },
    ),
  ],
  [
    'semverCompare',
    goFunction(
      ['string', 'string'],
      ([constraint, version]) => satisfies(constraint as string, version as string),
      { result: 'bool' },
    ),
  ],
];
