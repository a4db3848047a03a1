import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import type { LogLevel } from './format-line.ts';
import { createLogger } from './logger.ts';

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
    assert.deepEqual([logger.writes('info'), logger.writes('error')], [false, true]);
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
