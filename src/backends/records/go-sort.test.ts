import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dice } from '../../../test/support/dice.ts';
import { goSort } from './go-sort.ts';

const isLess = (a: number, b: number) => a < b;

test('any input is sorted, whatever pattern it has', () => {
  const dice = new Dice(1);
  for (const length of [0, 1, 2, 12, 13, 49, 50, 51, 200, 1_000]) {
    for (const kinds of [1, 2, 10, 1_000]) {
      const random = Array.from({ length }, () => dice.below(kinds));
      const sorted = random.toSorted((a, b) => a - b);
      const sawtooth = random.map((_, index) => index % 7);
      for (const input of [random, sorted, sorted.toReversed(), sawtooth]) {
        const expected = input.toSorted((a, b) => a - b);
        assert.deepEqual(goSort([...input], isLess), expected, `${length} of ${kinds}`);
      }
    }
  }
});

test('a list against which quicksort is slow takes n log n comparisons', () => {
  let compared = 0;
  const organ = Array.from({ length: 20_000 }, (_, index) => Math.min(index, 20_000 - index));
  goSort(organ, (a, b) => {
    compared++;
    return a < b;
  });
  assert.ok(compared < 1_000_000, `${compared}`);
});
