import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';

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
