import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textToTimestamp, timestampToText } from './well-known.ts';

test('as many digits as needed: 0, 3, 6 or 9', () => {
  assert.equal(timestampToText(1_593_842_160n, 0), '2020-07-04T05:56:00Z');
  assert.equal(timestampToText(1_593_842_160n, 500_000_000), '2020-07-04T05:56:00.500Z');
  assert.equal(timestampToText(1_593_842_160n, 1_000), '2020-07-04T05:56:00.000001Z');
  assert.equal(timestampToText(1_593_842_160n, 7), '2020-07-04T05:56:00.000000007Z');
});

test('the ends of the range, and what lies beyond', () => {
  assert.equal(timestampToText(-62_135_596_800n, 0), '0001-01-01T00:00:00Z');
  assert.equal(timestampToText(253_402_300_799n, 999_999_999), '9999-12-31T23:59:59.999999999Z');
  assert.equal(timestampToText(253_402_300_800n, 0), undefined);
  assert.equal(timestampToText(0n, -1), undefined);
});

test('reading takes zones and fractions, and refuses the rest', () => {
  assert.deepEqual(textToTimestamp('2020-07-04T05:56:00.5Z'), {
    seconds: 1_593_842_160n,
    nanos: 500_000_000,
  });
  assert.deepEqual(textToTimestamp('2020-07-04T07:56:00+02:00'), { seconds: 1_593_842_160n, nanos: 0 });
  for (const text of ['', 'now', '2020-07-04', '2020-13-04T05:56:00Z', '2020-07-04T05:56:00']) {
    assert.equal(textToTimestamp(text), undefined, text);
  }
});
