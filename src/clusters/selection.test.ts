import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unavailable } from '../protocol/index.ts';
import { Registry } from './registry.ts';
import type { AdhocNames } from './selection.ts';

function createPool(...hosts: string[]) {
  const registry = new Registry({
    open: () => Promise.reject(unavailable('there is none')),
    own: { name: 'own' },
    many: {
      defaultCluster: undefined,
      adhoc: { hosts, caPem: undefined },
      maxOpen: 10,
      maxCalls: 10,
      idleMs: 1_000,
    },
    connectTimeoutMs: 1_000,
    log: () => {},
  });
  return { get: (adhoc: AdhocNames) => registry.pick({ adhoc }) };
}

const token = 't0ken';

describe('clusters that requests bring along', () => {
  const allowed: readonly [string, string][] = [
    ['api.example.com', 'https://api.example.com'],
    ['api.example.com', 'https://API.example.com:6443/'],
    ['api.example.com:6443', 'https://api.example.com:6443'],
    ['api.example.com:443', 'https://api.example.com'],
    ['*.example.com', 'https://a.b.example.com'],
    ['10.0.0.1', 'https://10.0.0.1:6443'],
  ];
  for (const [pattern, server] of allowed) {
    test(`${pattern} allows ${server}`, () => {
      assert.ok(createPool(pattern).get({ server, token }));
    });
  }

  const refused: readonly [string, string, number][] = [
    ['api.example.com', 'https://example.com', 7],
    ['api.example.com', 'https://api.example.com.evil.org', 7],
    ['api.example.com:6443', 'https://api.example.com', 7],
    ['*.example.com', 'https://example.com', 7],
    ['*.example.com', 'https://evilexample.com', 7],
    ['*.example.com', 'https://169.254.169.254', 7],
    ['10.0.0.1', 'https://0x0a000002', 7],
    ['api.example.com', 'http://api.example.com', 3],
    ['api.example.com', 'https://a:b@api.example.com', 3],
    ['api.example.com', 'https://api.example.com/path', 3],
    ['api.example.com', 'https://api.example.com?x', 3],
    ['api.example.com', 'api.example.com', 3],
    ['api.example.com', '', 3],
  ];
  for (const [pattern, server, code] of refused) {
    test(`${pattern} does not allow ${JSON.stringify(server)}`, () => {
      assert.throws(() => createPool(pattern).get({ server, token }), { code });
    });
  }

  test('need a token that can stand in a header, which no error shows', () => {
    const pool = createPool('h');
    for (const wrong of [undefined, '', 'a b', 'ü', 'x'.repeat(20_000)]) {
      assert.throws(() => pool.get({ server: 'https://h', token: wrong }), {
        code: 3,
        message: /X-KubeToken$/,
      });
    }
  });

  test('are the same for the same server and token, and others for another', () => {
    const pool = createPool('h');
    const one = pool.get({ server: 'https://h', token });
    assert.equal(pool.get({ server: 'https://H:443/', token }), one);
    assert.notEqual(pool.get({ server: 'https://h', token: 'other' }), one);
    assert.notEqual(pool.get({ server: 'https://h:6443', token }), one);
  });

  test('have a bound: the least recently used one is evicted', async () => {
    const pool = createPool('h');
    const first = pool.get({ server: 'https://h', token: 'token-0' });
    for (let index = 1; index <= 100; index++) pool.get({ server: 'https://h', token: `token-${index}` });
    await assert.rejects(first.check(new AbortController().signal), {
      code: 14,
      message: /not served any more/,
    });
    assert.notEqual(pool.get({ server: 'https://h', token: 'token-0' }), first);
  });
});
