import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytes, choice, duration, flag, integer, list, text } from './option.ts';

const named = ['x', 'X.'] as const;

describe('kinds of options', () => {
  test('a boolean reads the usual words in any case', () => {
    for (const yes of ['true', '1', 'T', 'YES', 'on']) assert.equal(flag(...named).read([yes]), true);
    for (const no of ['false', '0', 'F', 'No', 'off']) assert.equal(flag(...named).read([no]), false);
    assert.throws(() => flag(...named).read(['maybe']), /neither true nor false/);
  });

  test('an integer keeps to its range, bounds included', () => {
    const option = integer(...named, { range: [1, 5] });
    assert.deepEqual([option.read(['1']), option.read(['5'])], [1, 5]);
    assert.throws(() => option.read(['6']), /6 is not in 1 to 5/);
    assert.throws(() => option.read(['0']), /0 is not in 1 to 5/);
    assert.throws(() => option.read(['2.5']), /not a whole number/);
  });

  test('a duration and a size name their range in their own units', () => {
    assert.throws(() => duration(...named, { range: ['1s', '1h'] }).read(['2h']), /2h is not in 1s to 1h/);
    assert.throws(
      () => bytes(...named, { range: ['1KiB', '1MiB'] }).read(['2MiB']),
      /2MiB is not in 1KiB to 1MiB/,
    );
  });

  test('a choice names the words', () => {
    const option = choice(...named, ['a', 'b']);
    assert.equal(option.read(['b']), 'b');
    assert.throws(() => option.read(['c']), /"c" is none of a, b/);
  });

  test('a text can be narrowed by a pattern', () => {
    const option = text(...named, {}, { pattern: /^\d$/, expected: 'a digit' });
    assert.equal(option.read(['7']), '7');
    assert.throws(() => option.read(['x']), /expected a digit/);
  });

  test('a list takes repetitions and commas, and checks each item', () => {
    const option = list(...named, {}, { pattern: /^[a-c]$/, expected: 'a letter' });
    assert.deepEqual(option.read(['a, b', 'c', '']), ['a', 'b', 'c']);
    assert.throws(() => option.read(['a', 'd']), /expected a letter, got "d"/);
  });

  test('a list of secrets does not repeat the item at fault', () => {
    const option = list(...named, { secret: true }, { pattern: /^a$/, expected: 'a letter' });
    assert.throws(
      () => option.read(['hunter2']),
      (error: Error) => !error.message.includes('hunter2'),
    );
  });

  test('a URL at fault is repeated without its credentials', () => {
    const option = list(...named, {}, { pattern: /^a$/, expected: 'a letter' });
    assert.throws(() => option.read(['x=https://u:hunter2@host/']), /got "x=https:\/\/\*\*\*@host\/"/);
  });

  test('a default that its own rule refuses fails when the table is loaded', () => {
    assert.throws(() => duration(...named, { default: '2h', range: ['1s', '1h'] }));
  });
});
