import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHelm3Constraint, parseVersion } from './version-constraint.ts';

describe('ranges of Helm 3, with versions that they hold and do not hold', () => {
  // the tables at the functions of Masterminds/semver 3.3, and where it differs from 1.x
  const cases: [range: string, holds: string[], not: string[]][] = [
    ['*', ['0.0.0', '9.9.9'], ['1.0.0-rc.1']],
    ['1.2.3', ['1.2.3', 'v1.2.3', '1.2.3+build'], ['1.2.4', '1.2.3-beta']],
    ['v1.2', ['1.2.0', '1.2.9'], ['1.3.0', '1.1.9']],
    ['1', ['1.0.0', '1.9.9'], ['2.0.0', '0.9.0']],
    ['1.X', ['1.0.0', '1.9.9'], ['2.0.0']],
    ['=1.2.x', ['1.2.0', '1.2.9'], ['1.3.0']],
    ['>0.0.0', ['0.0.1', '1.0.0'], ['0.0.0', '1.0.0-rc.1']],
    ['>0.0.0-0', ['0.0.0', '0.0.1-alpha', '1.0.0'], []],
    ['>=8.0.0 <8.1.0', ['8.0.0', '8.0.9'], ['8.1.0', '7.9.9']],
    ['>=8.0.0,<8.1.0', ['8.0.0'], ['8.1.0']],
    ['  >= 8.0.0 , < 8.1.0  ', ['8.0.0'], ['8.1.0']],
    ['>11', ['12.0.0'], ['11.1.0', '11.0.0']],
    ['>11.1', ['11.2.0', '12.0.0'], ['11.1.1']],
    ['>=11', ['11.0.0'], ['10.9.9']],
    ['<2.x', ['1.9.9'], ['2.0.0', '2.9.0']],
    ['<=2', ['2.9.9', '1.0.0'], ['3.0.0']],
    ['<=2.1', ['2.1.9'], ['2.2.0']],
    ['!=1.2.3', ['1.2.4'], ['1.2.3', '1.2.4-a']],
    ['!=1', ['2.0.0'], ['1.5.0']],
    ['!=1.2', ['1.3.0'], ['1.2.5']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0', '1.2.2']],
    ['~>1', ['1.9.9'], ['2.0.0']],
    ['~0.0.0', ['5.0.0'], []],
    ['^1.2.3', ['1.2.3', '1.9.0'], ['2.0.0', '1.2.2']],
    ['^1', ['1.0.0'], ['2.0.0']],
    ['^0.2.3', ['0.2.3', '0.2.9'], ['0.3.0', '0.2.2', '1.0.0']],
    ['^0.2', ['0.2.0', '0.2.9'], ['0.3.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4', '0.1.0']],
    ['^0.0', ['0.0.9'], ['0.1.0']],
    ['^0', ['0.9.9'], ['1.0.0']],
    ['^1.2.3-beta', ['1.2.3-beta', '1.2.3', '1.9.0-a'], ['1.2.3-alpha', '2.0.0-a']],
    ['1.2 - 1.4.5', ['1.2.0', '1.4.5'], ['1.4.6', '1.1.0']],
    ['1.x || >=3.0 <4', ['1.5.0', '3.1.0'], ['2.0.0', '4.0.0']],
  ];
  for (const [range, holds, not] of cases) {
    test(JSON.stringify(range), () => {
      const constraint = parseHelm3Constraint(range) ?? assert.fail('cannot be read');
      const held = (text: string) => constraint(parseVersion(text) ?? assert.fail(text));
      assert.deepEqual([...holds, ...not].filter(held), holds);
    });
  }
});

describe('what is no range', () => {
  const texts = [
    '',
    ' ',
    'bad range',
    'latest',
    '1.0.0,',
    ',1.0.0',
    '1.0.0 ||',
    '==1',
    '> =1',
    '1.2.3.4',
    '>1<2',
    '1.0.0-',
    'é',
  ];
  for (const text of texts)
    test(JSON.stringify(text), () => assert.equal(parseHelm3Constraint(text), undefined));
  test('takes no time to refuse', () => {
    for (const text of [
      `${'1  '.repeat(80)}!`,
      `1${' '.repeat(250)}!`,
      '1 - '.repeat(60),
      '1'.repeat(256),
      '1'.repeat(257),
    ])
      parseHelm3Constraint(text);
  });
});
