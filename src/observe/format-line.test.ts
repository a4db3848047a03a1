import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatJsonLine, formatTextLine, type LogEntry } from './format-line.ts';

function entry(fields: LogEntry['fields'], message = 'hello'): LogEntry {
  return { time: new Date('2020-01-02T03:04:05.678Z'), level: 'info', message, fields };
}

describe('log lines', () => {
  test('as JSON: time, level, message and the fields, in which none of these can be faked', () => {
    assert.deepEqual(
      JSON.parse(formatJsonLine(entry({ durationMs: 1.5, level: 'error', message: 'fake' }))),
      {
        time: '2020-01-02T03:04:05.678Z',
        level: 'info',
        message: 'hello',
        durationMs: 1.5,
      },
    );
  });

  test('as text', () => {
    assert.equal(
      formatTextLine(entry({ route: '/a/{b}', reason: 'two words', none: undefined, empty: '' })),
      '03:04:05.678 INFO  hello route=/a/{b} reason="two words"',
    );
  });

  test('hold no secrets and no second line', () => {
    for (const format of [formatJsonLine, formatTextLine]) {
      const line = format(entry({ password: 'hunter2', url: 'http://u:hunter2@h' }, 'token=hunter2'));
      assert.doesNotMatch(line, /hunter2/);
    }
    assert.equal(formatJsonLine(entry({ a: 'x\ny' }, 'x\ny')).split('\n').length, 1);
  });

  test('have a bound, and stay JSON', () => {
    const long = 'x'.repeat(100_000);
    const fields = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${index}${long}`, long]));
    for (const line of [
      formatJsonLine(entry({ a: long, requestId: 'r' }, long)),
      formatJsonLine(entry(fields, long)),
      formatJsonLine(entry({ '"': '"'.repeat(100_000) }, '"'.repeat(100_000))),
    ]) {
      assert.ok(line.length <= 12_000, String(line.length));
      assert.equal(JSON.parse(line).shortened, true);
    }
    assert.equal(JSON.parse(formatJsonLine(entry({ a: long, requestId: 'r' }))).requestId, 'r');
    assert.ok(formatTextLine(entry({ a: long }, long)).length <= 12_100);
  });
});
