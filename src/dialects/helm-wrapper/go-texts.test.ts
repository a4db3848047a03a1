import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDuration, parseRevision, toGoTime, toRfc3339 } from './go-texts.ts';

describe('durations', () => {
  for (const [text, nanos] of [
    ['0', 0],
    ['5m0s', 300e9],
    ['1h2m3.5s', 3_723.5e9],
    ['-1.5h', -5_400e9],
    ['+3ms', 3e6],
    ['.5s', 0.5e9],
    ['10us', 10e3],
    ['10µs', 10e3],
    ['7ns', 7],
  ] as const) {
    test(text, () => assert.equal(parseDuration(text), nanos));
  }

  for (const [text, message] of [
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['soon', 'time: invalid duration "soon"'],
    ['5', 'time: missing unit in duration "5"'],
    ['1h5', 'time: missing unit in duration "1h5"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
    ['. s', 'time: invalid duration ". s"'],
    [`${'9'.repeat(30)}h`, `time: invalid duration "${'9'.repeat(30)}h"`],
  ] as const) {
    test(`not ${text}`, () => assert.throws(() => parseDuration(text), { code: 3, message }));
  }
});

describe('revisions', () => {
  test('whole numbers of 32 bits', () => {
    assert.deepEqual(['0', '7', '+7', '-1'].map(parseRevision), [0, 7, 7, -1]);
  });

  for (const [text, what] of [
    ['', 'invalid syntax'],
    ['1.0', 'invalid syntax'],
    ['0x1', 'invalid syntax'],
    ['2147483648', 'value out of range'],
  ] as const) {
    const message = `strconv.Atoi: parsing "${text}": ${what}`;
    test(`not ${text}`, () => assert.throws(() => parseRevision(text), { code: 3, message }));
  }
});

describe('times', () => {
  for (const [seconds, nanos, rfc3339, go] of [
    [1_795_706_407, 207_600_710, '2026-11-26T15:20:07.20760071Z', '2026-11-26 15:20:07.20760071 +0000 UTC'],
    [1_795_706_407, 0, '2026-11-26T15:20:07Z', '2026-11-26 15:20:07 +0000 UTC'],
    [0, 0, '', '-'],
  ] as const) {
    test(go, () =>
      assert.deepEqual([toRfc3339({ seconds, nanos }), toGoTime({ seconds, nanos })], [rfc3339, go]),
    );
  }

  test('none', () => assert.deepEqual([toRfc3339(null), toGoTime(undefined)], ['', '-']));
});
