import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { createLogger, formatJsonLine, formatTextLine, type LogEntry, type LogLevel } from './logger.ts';

function collect(level: LogLevel, format: 'json' | 'text' = 'json') {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(...String(chunk).split('\n').filter(Boolean));
      done();
    },
  });
  return { logger: createLogger({ level, format, stream }), lines };
}

describe('the logger', () => {
  test('writes one line each, of its level and above', () => {
    const { logger, lines } = collect('warn');
    logger.debug('d');
    logger.info('i');
    logger.warn('w', { a: 1 });
    logger.error('e');
    assert.deepEqual(
      lines.map(line => JSON.parse(line)).map(({ level, message, a }) => [level, message, a]),
      [
        ['warn', 'w', 1],
        ['error', 'e', undefined],
      ],
    );
  });

  test('masks secrets in the message, the fields and errors', () => {
    for (const format of ['json', 'text'] as const) {
      const { logger, lines } = collect('debug', format);
      logger.info('Authorization: Bearer hunter2', {
        token: 'hunter2',
        error: new Error('http://u:hunter2@h', { cause: new Error('password: hunter2') }),
      });
      assert.doesNotMatch(lines.join('\n'), /hunter2/);
      assert.match(lines.join('\n'), /\*\*\*/);
    }
  });

  test('cannot be told by fields to write another level or message', () => {
    const { logger, lines } = collect('info');
    logger.info('real', { level: 'error', message: 'fake', [Symbol.for('level')]: 'x' } as Record<
      string,
      unknown
    >);
    assert.equal(JSON.parse(lines[0] ?? '').message, 'real');
    assert.equal(JSON.parse(lines[0] ?? '').level, 'info');
  });
});

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

  test('as text neither steer a terminal nor begin a line of their own', () => {
    const forged = 'a\n03:04:05.678 ERROR forged\u001b[2J\u009b2J\r\u202eb';
    for (const line of [formatTextLine(entry({}, forged)), formatTextLine(entry({ error: forged }))]) {
      assert.match(line, /a\n {4}03:04:05\.678 ERROR forged\\u001b\[2J\\u009b2J\\u000d\\u202eb$/);
    }
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
