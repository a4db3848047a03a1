import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitManifests } from './split.ts';

/** Source: https://github.com/helm/helm/blob/v2.17.0/pkg/releaseutil/manifest.go, its separator `(?:^|\s*\n)---\s*`. */
const cases: readonly (readonly [text: string, documents: readonly string[]])[] = [
  ['', []],
  ['a: 1\n', ['a: 1']],
  ['---\na: 1\n---\nb: 2\n', ['a: 1', 'b: 2']],
  ['a: 1\n  \n\t\n--- \n\n b: 2', ['a: 1', 'b: 2']],
  ['a: 1\n---', ['a: 1']],
  ['---\n---\na: 1', ['---\na: 1']],
  ['a\n---\n---\nb', ['a', '---\nb']],
  ['a\n----\nb', ['a', '-\nb']],
  ['a ---\nb', ['a ---\nb']],
  ['a: |\n  x\n  ---\nb: 1', ['a: |\n  x\n  ---\nb: 1']],
  ['--- # comment\na: 1', ['# comment\na: 1']],
  ['a: \xc3\xa0\n---\nb: 1', ['a: \xc3\xa0', 'b: 1']],
  ['\n\n a: 1 \n\n', ['a: 1']],
];

test('a file is split where Tiller splits it', () => {
  for (const [text, documents] of cases)
    assert.deepEqual(splitManifests(text), documents, JSON.stringify(text));
});

test('splitting by hand gives what the regular expression gives', () => {
  const separator = /(?:^|[\t\n\f\r ]*\n)---[\t\n\f\r ]*/;
  const text = fc.array(fc.constantFrom('a', '-', '---', '\n', ' ', '\n---\n', '\t'), { maxLength: 15 });
  fc.assert(
    fc.property(text, parts => {
      const given = parts.join('').trim();
      const expected = given
        .split(separator)
        .filter(part => part !== '')
        .map(part => part.trim());
      assert.deepEqual(splitManifests(given), expected);
    }),
    { numRuns: 2_000, seed: 20_261_121 },
  );
});

test('a megabyte of white space is split at once', () => {
  assert.deepEqual(splitManifests(`a${'\n '.repeat(500_000)}x`).length, 1);
  assert.deepEqual(splitManifests(`a${' '.repeat(1_000_000)}\n---\nx`), ['a', 'x']);
});
