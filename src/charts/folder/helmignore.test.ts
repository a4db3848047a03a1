import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseHelmIgnore } from './helmignore.ts';

describe('files and folders that are left out', () => {
  const cases: [rules: string, path: string, isFolder: boolean, ignored: boolean][] = [
    ['', 'a.txt', false, false],
    ['', 'templates/.swp', false, true],
    ['', 'templates/sub/.swp', false, false],
    ['# a.txt', 'a.txt', false, false],
    ['  a.txt  ', 'a.txt', false, true],
    ['a.txt', 'deep/er/a.txt', false, true],
    ['/a.txt', 'a.txt', false, true],
    ['/a.txt', 'deep/a.txt', false, false],
    ['deep/*.txt', 'deep/a.txt', false, true],
    ['deep/*.txt', 'very/deep/a.txt', false, false],
    ['docs/', 'docs', true, true],
    ['docs/', 'docs', false, false],
    ['/docs/', 'sub/docs', true, false],
    ['*.bak', 'a.bak', false, true],
    ['!keep.txt', 'keep.txt', false, false],
    ['!keep.txt', 'other.txt', false, true],
    ['a.txt\n!a.txt', 'a.txt', false, true],
    ['a\r\nb\r\n', 'b', false, true],
  ];
  for (const [rules, path, isFolder, ignored] of cases) {
    test(`${JSON.stringify(rules)} and ${path}${isFolder ? '/' : ''}`, () => {
      assert.equal(parseHelmIgnore(rules)(path, isFolder), ignored);
    });
  }
});

test('rules that cannot be read', () => {
  assert.throws(() => parseHelmIgnore('a/**'), { code: 3, message: /double-star/ });
  assert.throws(() => parseHelmIgnore('[a'), { code: 3, message: /pattern/ });
});
