import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuMsOf } from '../../../test/support/cpu-time.ts';
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

describe('rules that would take other regular expressions for ever', () => {
  const path = `${'a'.repeat(200)}!`;
  const rules = [
    'a*a*a*a*a*a*a*a*a*a*a*a*b',
    '*?*?*?*?*?*?*?*?*?*?b',
    '[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*0',
    `${'*a'.repeat(450)}b`,
  ];
  for (const rule of rules) {
    test(rule.slice(0, 40), () => {
      const ms = cpuMsOf(() => assert.equal(parseHelmIgnore(rule)(path, false), false));
      assert.ok(ms < 1_000);
    });
  }
});

test('the number of rules and their length are bounded', () => {
  assert.throws(() => parseHelmIgnore('a\n'.repeat(1_001)), { code: 3, message: /more than 1000 rules/ });
  assert.throws(() => parseHelmIgnore('a'.repeat(1_001)), { code: 3, message: /longer than 1000/ });
  assert.throws(() => parseHelmIgnore('# a\n'.repeat(20_000)), { code: 3, message: /more than 65536 char/ });
  for (const rule of [`${'*a'.repeat(100)}\n`, `${'?'.repeat(100)}\n`, `${'[a-z]*'.repeat(50)}\n`]) {
    assert.throws(() => parseHelmIgnore(rule.repeat(11)), { code: 3, message: /more than 1000 wildcards/ });
  }
});

test('rules and files together have a bound, which no real chart comes near', () => {
  const slow = parseHelmIgnore(`b${'*a'.repeat(400)}`);
  const path = 'a'.repeat(4_000);
  const all = () => Array.from({ length: 100 }, () => slow(path, false));
  assert.throws(all, { code: 3, message: /too long for so many files/ });
  const real = parseHelmIgnore('.git/\n*.swp\n*.bak\n*.tmp\n*~\n.vscode/\nOWNERS\n'.repeat(3));
  for (let index = 0; index < 10_000; index++) real(`templates/a/longer/path/of/a/file-${index}.yaml`, false);
});
