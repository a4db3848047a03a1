import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findChart, parseRepositoryIndex } from './repository-index.ts';

const read = (text: string) => parseRepositoryIndex(Buffer.from(text), 'index.yaml');

test('versions stand newest first, whatever the order in the index', () => {
  const entry = (version: string) => `{name: a, version: ${version}, urls: [x]}`;
  const list = ['1.9.0', '1.10.0', '2.0.0-a', '1.10.0-b', '2.0.0'].map(entry).join(', ');
  const index = read(`{apiVersion: v1, entries: {a: [${list}]}}`);
  assert.deepEqual(
    index.get('a')?.map(({ version }) => version),
    ['2.0.0', '2.0.0-a', '1.10.0', '1.10.0-b', '1.9.0'],
  );
});

test('entries that say nothing usable are left out', () => {
  const index = read(`
apiVersion: v1
entries:
  a:
  - ~
  - text
  - {urls: [x]}
  - {version: x, urls: [x]}
  - {version: 1.0.0, urls: x}
  - {version: 1.0.0, urls: [x], deprecated: maybe}
  - {version: 1.0.0, urls: [good]}
  b: text
  __proto__: [{version: 1.0.0, urls: [x]}]
`);
  assert.deepEqual(
    index.get('a')?.map(({ urls }) => urls[0]),
    ['good'],
  );
  assert.equal(index.has('b'), false);
  assert.equal(findChart(index, '__proto__', '').name, '__proto__');
});

describe('what is no index', () => {
  for (const text of ['', '[]', 'entries: {}', 'apiVersion: v1\nentries: [a]', 'a: [']) {
    test(JSON.stringify(text), () => assert.throws(() => read(text), { code: 3, message: /^index\.yaml: / }));
  }
});

test('an index without entries has no charts', () => {
  assert.throws(() => findChart(read('apiVersion: v1'), 'a', ''), { code: 3, message: /no chart named "a"/ });
});

test('a version that is written out is found even if it is a pre-release', () => {
  const index = read('{apiVersion: v1, entries: {a: [{version: 1.0.0-a, urls: [x]}]}}');
  assert.equal(findChart(index, 'a', '1.0.0-a').version, '1.0.0-a');
  assert.throws(() => findChart(index, 'a', ''), { message: /no version of chart "a" matches "\*"/ });
});
