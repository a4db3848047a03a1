import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatBytes,
  formatDuration,
  formatListenAddress,
  parseBytes,
  parseDuration,
  parseListenAddress,
} from './units.ts';

describe('durations', () => {
  const good: [string, number][] = [
    ['0', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['0.5s', 500],
  ];
  for (const [text, durationMs] of good) {
    test(`reads ${text}`, () => assert.equal(parseDuration(text), durationMs));
  }
  for (const text of ['', '5', 's', '-1s', '5 m', '1d', '5m!', '1e3s']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseDuration(text), /not a duration/));
  }
  test('are written so that they read back the same', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 1e9 }),
        durationMs => parseDuration(formatDuration(durationMs)) === durationMs,
      ),
    );
    assert.equal(formatDuration(5_400_000), '1h30m');
    assert.equal(formatDuration(0), '0s');
  });
});

describe('sizes', () => {
  const good: [string, number][] = [
    ['512', 512],
    ['512B', 512],
    ['64KiB', 65_536],
    ['32MiB', 33_554_432],
    ['1GiB', 1_073_741_824],
  ];
  for (const [text, bytes] of good) test(`reads ${text}`, () => assert.equal(parseBytes(text), bytes));
  for (const text of ['', 'MiB', '1.5MiB', '32MB', '32 MiB', '-1']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseBytes(text), /not a size/));
  }
  test('are written so that they read back the same', () => {
    fc.assert(fc.property(fc.nat(), bytes => parseBytes(formatBytes(bytes)) === bytes));
    assert.equal(formatBytes(33_554_432), '32MiB');
  });
});

describe('addresses to listen on', () => {
  const good: [string, string | undefined, number][] = [
    [':9855', undefined, 9855],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['localhost:65535', 'localhost', 65_535],
    ['[::1]:80', '::1', 80],
  ];
  for (const [text, host, port] of good) {
    test(`${text} is read, and written the same`, () => {
      assert.deepEqual(parseListenAddress(text), { host, port });
      assert.equal(formatListenAddress({ host, port }), text);
    });
  }
  for (const text of ['', '9855', 'localhost', ':65536', '::1:80', 'a:b', 'http://a:1', 'a b:1', 'u@h:1']) {
    test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseListenAddress(text)));
  }
});
