import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayName, selectCluster, validateForwardPath } from './select.ts';

describe('which cluster a request names', () => {
  test('by path, by query, by headers, or none', () => {
    assert.equal(selectCluster('/tiller/v2/releases/json?limit=3', {}), undefined);
    assert.deepEqual(selectCluster('/clusters', {}), { kind: 'list' });
    assert.deepEqual(selectCluster('/clusters?check', {}), { kind: 'list' });
    assert.deepEqual(selectCluster('/clusters/-/tiller/v2/version/json?cluster=a', {}), {
      kind: 'all',
      path: '/tiller/v2/version/json',
    });
    assert.deepEqual(selectCluster('/clusters/arn%3Ax%2Fy/tiller/v2/version/json?a=1', {}), {
      kind: 'named',
      name: 'arn:x/y',
      path: '/tiller/v2/version/json',
      query: 'a=1',
    });
    assert.deepEqual(selectCluster('/tiller/v2/version/json?a=1&kube_context=b%2Fc&d=e%20f', {}), {
      kind: 'named',
      name: 'b/c',
      path: '/tiller/v2/version/json',
      query: 'a=1&d=e%20f',
    });
    assert.deepEqual(selectCluster('/tiller/x', { 'x-kubeapiserver': 'https://h', 'x-kubetoken': 't' }), {
      kind: 'adhoc',
      adhoc: { server: 'https://h', token: 't' },
      path: '/tiller/x',
      query: '',
    });
  });

  test('one at a time', () => {
    for (const [url, headers] of [
      ['/clusters/a/tiller/x?kube_context=b', {}],
      ['/clusters/a/tiller/x', { 'x-kubeapiserver': 'https://h' }],
      ['/tiller/x?kube_context=b', { 'x-kubeapiserver': 'https://h' }],
    ] as const) {
      assert.throws(() => selectCluster(url, headers), { code: 3, message: /^name one cluster/ });
    }
  });

  test('is not looked for where nothing can name one', () => {
    assert.equal(mayName('/tiller/v2/releases/json?limit=3', { 'x-request-id': 'a' }), false);
    assert.equal(mayName('/clusters', {}), true);
  });

  test('says what is wrong with a name that does not decode', () => {
    assert.throws(() => selectCluster('/clusters/%zz/x', {}), { code: 3, message: /percent-encoded/ });
  });
});

describe('a path that is passed on', () => {
  test('stays as it is where it is plain', () => {
    for (const path of ['/', '/tiller/v2/releases/al%70ha/json', '/tiller/v2/releases/a..b/json', '/x/...']) {
      assert.equal(validateForwardPath(path), path);
    }
  });

  for (const path of [
    '/..',
    '/../../secrets',
    '/tiller/%2e%2e/x',
    '/tiller/.%2E/x',
    '/./x',
    '/tiller//v2',
    '/a%2fb',
    '/a%5C..%5Cb',
    '/a\\..\\b',
    '/%252e%252e/x',
    '/a%00b',
    '/a%0d%0ab',
    '/a b',
    '/a#b',
    'tiller',
  ]) {
    test(`never leaves the service proxy: ${path}`, () => {
      assert.throws(() => validateForwardPath(path), { code: 5 });
    });
  }
});
