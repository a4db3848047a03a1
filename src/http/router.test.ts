import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Route, Verb } from './exchange.ts';
import { allowedVerbs, parsePathTemplate, Router, splitPath } from './router.ts';

function route(template: string, ...verbs: Verb[]): Route {
  return { template, verbs, summary: '', answer: () => ({ code: 0, bytes: 0 }) };
}

describe('the router', () => {
  const router = new Router([
    route('/', 'GET'),
    route('/releases/json', 'GET'),
    route('/releases/json', 'POST'),
    route('/releases/{name}/json', 'GET', 'PUT'),
    route('/releases/{name}/test/json', 'POST'),
    route('/releases/{name}/{version}/at/json', 'GET'),
    route('/releases/watch/json', 'GET'),
  ]);

  test('words win over fields, and paths are walked whole', () => {
    assert.deepEqual(router.match('/')?.template, '/');
    assert.deepEqual(router.match('/releases/json')?.parameters, {});
    assert.deepEqual(router.match('/releases/a%20b/json')?.parameters, { name: 'a b' });
    assert.deepEqual(router.match('/releases/a/7/at/json')?.parameters, { name: 'a', version: '7' });
    assert.equal(router.match('/releases/a/%74est/json')?.template, '/releases/{name}/test/json');
    assert.equal(router.match('/releases/__proto__/json')?.parameters.name, '__proto__');
    for (const path of ['/releases', '/releases/a/b/c/json', '', 'releases/json', '//', '/releases/json/'])
      assert.equal(router.match(path), undefined, path);
  });

  test('a word keeps no verb from the release of its name', () => {
    assert.deepEqual(router.match('/releases/watch/json', 'GET')?.parameters, {});
    const { template, parameters, routes } = router.match('/releases/watch/json', 'PUT')!;
    assert.deepEqual([template, parameters], ['/releases/{name}/json', { name: 'watch' }]);
    assert.equal(routes.get('PUT')?.template, template);
    assert.equal(routes.get('GET')?.template, '/releases/watch/json');
  });

  test('Allow: HEAD comes with GET, OPTIONS with everything', () => {
    const verbsAt = (path: string) => allowedVerbs(router.match(path)!);
    assert.deepEqual(verbsAt('/releases/json'), ['GET', 'POST', 'HEAD', 'OPTIONS']);
    assert.deepEqual(verbsAt('/releases/a/test/json'), ['POST', 'OPTIONS']);
  });

  test('two routes for one verb and path are refused', () => {
    assert.throws(
      () => new Router([route('/a', 'GET'), route('/a', 'POST', 'GET')]),
      /two routes for GET \/a/,
    );
  });
});

describe('path templates', () => {
  test('words and fields', () => {
    assert.deepEqual(parsePathTemplate('/tiller/v2/releases/{name}/json'), [
      { word: 'tiller' },
      { word: 'v2' },
      { word: 'releases' },
      { field: 'name' },
      { word: 'json' },
    ]);
  });

  test('words and fields', () => {
    assert.deepEqual(parsePathTemplate('/tiller/v2/releases/{name}/json'), [
      { word: 'tiller' },
      { word: 'v2' },
      { word: 'releases' },
      { field: 'name' },
      { word: 'json' },
    ]);
  });

  test('what this contract does not use is refused, not half understood', () => {
    for (const template of ['a', '/{a=*}', '/{a.b}', '/**', '/a:verb', '//', '/{a', '/a b'])
      assert.throws(() => parsePathTemplate(template), /path template/, template);
  });

  test('parts are decoded one by one', () => {
    assert.deepEqual(splitPath('/a/b%20c/%C3%BC'), ['a', 'b c', 'ü']);
    assert.deepEqual(splitPath('/a/..'), ['a', '..']);
  });

  test('paths that match nothing: empty parts, broken escapes, a slash in disguise', () => {
    for (const path of ['//a', '/a/', '/a//b', '/%', '/%zz', '/%ff', '/a%2Fb', '/a/%2f', '*'])
      assert.equal(splitPath(path), undefined, path);
  });
});
