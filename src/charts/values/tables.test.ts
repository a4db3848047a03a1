import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseYaml, writeYaml, type YamlMap } from '../../yaml/index.ts';
import { coalesceTables, countNodes, mergeTables, tableAt, tableUnder, valueAt } from './tables.ts';

const read = (text: string) => parseYaml(text) as YamlMap;

describe('coalesceTables', () => {
  const cases: [string, string, string, string][] = [
    ['the first wins', '{a: 1}', '{a: 2, b: 3}', 'a: 1\nb: 3\n'],
    [
      'tables are merged',
      '{a: {x: 1}}',
      '{a: {x: 2, k: 3, z: {w: 4}}}',
      'a:\n  k: 3\n  x: 1\n  z:\n    w: 4\n',
    ],
    ['lists are not', '{a: [1]}', '{a: [2, 3]}', 'a:\n- 1\n'],
    ['null in the first removes', '{a: null, b: {c: null}}', '{a: 1, b: {c: 2, d: 3}}', 'b:\n  d: 3\n'],
    ['null in the first that removes nothing', '{a: null}', '{b: 1}', 'b: 1\n'],
    ['null in the second stays', '{b: 1}', '{a: null}', 'a: null\nb: 1\n'],
    ['null in a table of the first alone stays', '{a: {b: null}}', '{}', 'a:\n  b: null\n'],
    ['a scalar over a table', '{a: 1}', '{a: {b: 2}}', 'a: 1\n'],
    ['a table over a scalar', '{a: {b: 2}}', '{a: 1}', 'a:\n  b: 2\n'],
    ['a table over null', '{a: {b: 2}}', '{a: null}', 'a:\n  b: 2\n'],
  ];
  for (const [title, first, second, result] of cases) {
    test(title, () => {
      const [one, two] = [read(first), read(second)];
      assert.equal(writeYaml(coalesceTables(one, two)), result);
      assert.deepEqual([one, two], [read(first), read(second)]);
    });
  }
});

test('mergeTables lets the second win, null too', () => {
  const merged = mergeTables(
    read('{a: {x: 1, k: 2}, b: 1, c: {d: 1}}'),
    read('{a: {k: 3}, b: {c: 4}, c: null}'),
  );
  assert.equal(writeYaml(merged), 'a:\n  k: 3\n  x: 1\nb:\n  c: 4\nc: null\n');
});

test('paths', () => {
  const values = read('{a: {b: {c: 1}}, d: 2, e.f: 3}');
  assert.deepEqual(tableAt(values, 'a.b'), read('{c: 1}'));
  assert.equal(tableAt(values, 'd'), undefined);
  assert.equal(tableAt(values, 'a.x'), undefined);
  assert.equal(valueAt(values, 'a.b.c'), 1n);
  assert.equal(valueAt(values, 'd'), 2n);
  assert.equal(valueAt(values, 'a.b'), undefined);
  assert.equal(valueAt(values, 'e.f'), undefined);
  assert.equal(writeYaml(tableUnder('p.q', read('{a: 1}'))), 'p:\n  q:\n    a: 1\n');
  assert.equal(writeYaml(tableUnder('.', read('{a: 1}'))), 'a: 1\n');
});

test('countNodes counts everything, at every depth', () => {
  assert.equal(countNodes(read('{a: [1, {b: 2}], c: null}')), 6);
});
