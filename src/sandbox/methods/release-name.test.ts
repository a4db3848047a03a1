import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxNameLength, validateReleaseName } from '../../backends/index.ts';
import { adjectives, animals, generateReleaseName } from './release-name.ts';

test('names as Tiller takes them', () => {
  for (const name of ['a', 'A', '1', 'a-b', 'a_b.c', 'Bad_Name', 'x'.repeat(53)]) validateReleaseName(name);
});

test('names as Tiller refuses them', () => {
  const invalid = /^invalid release name, must match regex/;
  for (const name of ['-a', 'a-', '.', 'a b', 'a/b', 'ä', 'x'.repeat(54), '../x', 'a\n']) {
    assert.throws(() => validateReleaseName(name), { code: 2, message: invalid }, name);
  }
  assert.throws(() => validateReleaseName(''), { code: 2, message: 'no release provided' });
});

test('the pattern takes one pass where Tiller has nested repeats', { timeout: 2_000 }, () => {
  assert.throws(() => validateReleaseName(`${'a'.repeat(100_000)}!`));
});

test('generated names are an adjective and an animal, and always valid', () => {
  for (let count = 0; count < 200; count++) {
    const name = generateReleaseName(() => false);
    assert.match(name, /^[a-z]+-[a-z]+$/);
    validateReleaseName(name);
  }
  const longest = Math.max(...adjectives.map(w => w.length)) + 1 + Math.max(...animals.map(w => w.length));
  assert.ok(longest <= maxNameLength);
  for (const words of [adjectives, animals]) assert.equal(new Set(words).size, words.length);
});

test('a taken name is not given again, and five tries are the end', () => {
  const tried: string[] = [];
  const third = generateReleaseName(name => tried.push(name) < 3);
  assert.equal(tried.at(-1), third);
  assert.throws(() => generateReleaseName(() => true), { message: 'no available release name found' });
});
