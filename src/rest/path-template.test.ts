import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePathTemplate, splitPath } from './path-template.ts';

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
  for (const path of ['/', '//a', '/a/', '/a//b', '/%', '/%zz', '/%ff', '/a%2Fb', '/a/%2f', '*'])
    assert.equal(splitPath(path), undefined, path);
});
