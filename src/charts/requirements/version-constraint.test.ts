import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareVersions, parseConstraint, parseVersion } from './version-constraint.ts';

describe('ranges, with versions that they hold and do not hold', () => {
  const cases: [range: string, holds: string[], not: string[]][] = [
    ['1.2.3', ['1.2.3', 'v1.2.3', '1.2.3+build'], ['1.2.4', '1.2.3-beta']],
    ['=1.2.3', ['1.2.3'], ['1.2.2']],
    ['1.2', ['1.2.0', '1.2'], ['1.2.1']],
    ['1', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.0']],
    ['1.x', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['1.2.x', ['1.2.0', '1.2.9'], ['1.3.0']],
    ['*', ['0.0.1', '9.9.9'], ['1.0.0-rc.1']],
    ['', [], ['1.0.0']],
    ['!=1.2.3', ['1.2.4', '1.2.3-a'], ['1.2.3']],
    ['!=1.x', ['2.0.0'], ['1.5.0', '2.0.0-a']],
    ['>1.2.3', ['1.2.4'], ['1.2.3', '1.3.0-a']],
    ['>1.2.3-0', ['1.3.0-a'], []],
    // Helm 2.17.0 has semver 1.5.0, as its `helm search` shows, which asks for >0.0.0; 1.4.2 let pre-releases pass here
    ['>=0.0.0', ['0.0.0', '0.0.1'], ['1.0.0-a', '0.0.0-a']],
    ['>0.0.0', ['0.0.1', '1.0.0'], ['0.0.0', '1.0.0-a', '0.0.0-a']],
    ['>=x', ['0.0.0', '1.0.0'], ['1.0.0-a']],
    ['>*', ['0.0.1'], ['0.0.0', '1.0.0-a']],
    ['>0.0.0-0', ['0.0.0', '0.0.0-a', '1.0.0-a'], ['0.0.0-0']],
    ['>= 1.0, <2.0', ['1.5.0'], ['2.0.0', '0.9.0']],
    ['>=1.0 <2.0', [], ['1.5.0']],
    ['<2.x', ['1.0.0', '2.9.0'], ['3.0.0']],
    ['<=1.2.x', ['1.2.9', '0.1.0'], ['1.3.0']],
    ['=>1.0', ['1.0.0'], ['0.9.9']],
    ['=<1.0', ['1.0.0'], ['1.0.1']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0', '1.2.2']],
    ['~>1.2', ['1.2.0', '1.2.9'], ['1.3.0']],
    ['~1', ['1.0.0', '1.9.0'], ['2.0.0']],
    ['~0.0.0', ['0.0.0', '5.0.0'], []],
    ['^1.2.3', ['1.2.3', '1.9.0'], ['2.0.0', '1.2.2']],
    ['^0.2', ['0.2.0', '0.9.0'], ['1.0.0']],
    ['1.2 - 1.4', ['1.2.0', '1.4.0'], ['1.4.1', '1.1.0']],
    ['1.x || >=3.0', ['1.5.0', '3.1.0'], ['2.0.0']],
    ['latest', [], ['1.0.0']],
  ];
  for (const [range, holds, not] of cases) {
    test(JSON.stringify(range), () => {
      const constraint = parseConstraint(range);
      const test = (text: string) => constraint?.(parseVersion(text) ?? assert.fail(text)) ?? false;
      assert.deepEqual(
        holds.filter(version => !test(version)),
        [],
      );
      assert.deepEqual(not.filter(test), []);
    });
  }
});

test('versions in order', () => {
  const inOrder = [
    '0.9.0',
    '1.0.0-1',
    '1.0.0-2',
    '1.0.0-a',
    '1.0.0-a.1',
    '1.0.0-a.b',
    '1.0.0',
    '1.0.1',
    '10.0.0',
  ];
  const sorted = inOrder
    .toReversed()
    .map(text => ({ text, version: parseVersion(text) ?? assert.fail(text) }))
    .sort((a, b) => compareVersions(a.version, b.version));
  assert.deepEqual(
    sorted.map(({ text }) => text),
    inOrder,
  );
});

test('what is no version', () => {
  for (const text of ['', 'a', '1.2.3.4', '1.2-', '-1', '1..2', '9'.repeat(20), '1'.repeat(300)]) {
    assert.equal(parseVersion(text), undefined, text);
  }
});
