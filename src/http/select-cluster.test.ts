import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { selectCluster, toForwardTarget, toOriginForm } from './select-cluster.ts';

describe('which cluster a request names', () => {
  const select = (url: string, headers = {}, hasMany = true) => {
    const [path = '', query = ''] = url.split(/\?(.*)/s);
    return selectCluster(path, query, new URLSearchParams(query), headers, hasMany);
  };
  const own = (path: string, query = '') => ({ selection: {}, isNamed: false, path, query });

  test('by path, by query, by headers, or none', () => {
    assert.deepEqual(select('/tiller/v2/releases/json?limit=3'), own('/tiller/v2/releases/json', 'limit=3'));
    assert.deepEqual(select('/clusters'), own('/clusters'));
    assert.deepEqual(select('/clusters/'), own('/clusters'));
    assert.deepEqual(select('/clusters?check'), own('/clusters', 'check'));
    assert.deepEqual(
      select('/clusters/-/tiller/v2/version/json?cluster=a'),
      own('/clusters/-/tiller/v2/version/json', 'cluster=a'),
    );
    assert.deepEqual(select('/clusters/arn%3Ax%2Fy/tiller/v2/version/json?a=1'), {
      isNamed: true,
      selection: { name: 'arn:x/y' },
      path: '/tiller/v2/version/json',
      query: 'a=1',
    });
    for (const name of ['kube_context', 'kube%5Fcontext', '%6bube_context']) {
      assert.deepEqual(select(`/tiller/v2/version/json?a=1&${name}=b%2Fc&d=e%20f`), {
        isNamed: true,
        selection: { name: 'b/c' },
        path: '/tiller/v2/version/json',
        query: 'a=1&d=e%20f',
      });
    }
    assert.deepEqual(select('/tiller/x', { 'x-kubeapiserver': 'https://h', 'x-kubetoken': 't' }), {
      isNamed: true,
      selection: { adhoc: { server: 'https://h', token: 't' } },
      path: '/tiller/x',
      query: '',
    });
    assert.deepEqual(select('/tiller/x', { 'x-cluster': 'a' }), {
      isNamed: true,
      selection: { name: 'a' },
      path: '/tiller/x',
      query: '',
    });
  });

  test('one at a time', () => {
    for (const [url, headers] of [
      ['/clusters/a/tiller/x?kube_context=b', {}],
      ['/clusters/a/tiller/x', { 'x-kubeapiserver': 'https://h' }],
      ['/clusters/a/tiller/x', { 'x-cluster': 'a' }],
      ['/tiller/x?kube_context=b', { 'x-kubeapiserver': 'https://h' }],
      ['/tiller/x?kube_context=b&kube_context=c', {}],
      ['/tiller/x?kube_context=b&kube%5Fcontext=b', {}],
    ] as const) {
      assert.throws(() => select(url, headers), { code: 3, message: /^name one cluster/ });
    }
    assert.throws(() => select('/tiller/x', { 'x-kubetoken': 't' }), { code: 3, message: /^X-KubeToken/ });
  });

  test('in the path only where there are several', () => {
    assert.deepEqual(select('/clusters/a/tiller/x', {}, false), own('/clusters/a/tiller/x'));
  });

  test('by a path whose words are percent-encoded', () => {
    assert.deepEqual(select('/%63lusters/a/x').selection, { name: 'a' });
    assert.deepEqual(select('/clusters/%2D/x').selection, {});
    assert.equal(select('/%zz/a/x').isNamed, false);
    assert.throws(() => select('/clusters?kube_context=a'), { code: 3, message: /name none/ });
    assert.throws(() => select('/clusters/-/x?kube_context=a'), { code: 3, message: /^name one cluster/ });
  });

  test('says what is wrong with a name that does not decode', () => {
    assert.throws(() => select('/clusters/%zz/x'), { code: 3, message: /percent-encoded/ });
  });
});

describe('a path that is passed on', () => {
  const forward = (path: string) => toForwardTarget({ selection: {}, isNamed: true, path, query: '' });

  test('stays as it is where it is plain', () => {
    for (const path of ['/', '/tiller/v2/releases/al%70ha/json', '/tiller/v2/releases/a..b/json', '/x/...']) {
      assert.equal(forward(path), path);
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
    '/..;/a',
    '/a/%2e%2e;x=y/b',
    '/.;/a',
    '/a#b',
    'tiller',
  ]) {
    test(`never leaves the service proxy: ${path}`, () => {
      assert.throws(() => forward(path), { code: 5 });
    });
  }
});

/** A target, and what it is taken for: the path and query, and the host where it is not that of the header. */
const cases: Record<string, [url: string, host?: string]> = {
  '/a?b=c': ['/a?b=c'],
  '//a/b': ['//a/b'],
  '/http://x/y': ['/http://x/y'],
  '*': ['*'],
  'http://host/a/b?c=d': ['/a/b?c=d', 'host'],
  'HTTPS://host:8443/a': ['/a', 'host:8443'],
  'http://user@[::1]:80/a': ['/a', 'user@[::1]:80'],
  'http://localhost@evil.example/a': ['/a', 'localhost@evil.example'],
  'http://host': ['/', 'host'],
  'http://host?pretty': ['/?pretty', 'host'],
  'http://[::/a': ['/a', '[::'],
  'http:///a': ['/a', ''],
};

for (const [target, [url, host = 'here']] of Object.entries(cases))
  test(`${target} is ${url} of ${host}`, () => {
    const request = { url: target, headers: { host: 'here' } };
    toOriginForm(request);
    assert.deepEqual(request, { url, headers: { host } });
  });
