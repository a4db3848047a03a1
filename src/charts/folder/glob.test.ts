import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGlob } from './helmignore.ts';

// the table of Go's path/filepath TestMatch, as far as it is about Unix paths
const cases: [pattern: string, path: string, matches: boolean][] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'abc', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['*[a-ζ]', 'A', false],
  ['a?b', 'a/b', false],
  ['a*b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-]', '-', true],
  ['[x\\-]', 'x', true],
  ['[x\\-]', 'z', false],
  ['[\\-x]', '-', true],
  ['*x', 'xxx', true],
  ['a.b+(c)|{d}$^', 'a.b+(c)|{d}$^', true],
  ['.?*', '.a', true],
  ['.?*', '.', false],
];
for (const [pattern, path, matches] of cases) {
  test(`${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
    assert.equal(parseGlob(pattern)(path), matches);
  });
}

test('patterns that are not finished', () => {
  for (const pattern of ['[', '[^', '[^bc', 'a[', 'a\\', '[a-']) {
    assert.throws(() => parseGlob(pattern), { code: 3 }, pattern);
  }
});
