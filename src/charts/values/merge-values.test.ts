import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeMessage, encodeMessage } from '../../codec/index.ts';
import { type GivenValues, mergeValues } from './merge-values.ts';

function merge(raw: string | undefined, given: Partial<GivenValues>) {
  const values = raw === undefined ? undefined : encodeMessage('hapi.chart.Config', { raw });
  return mergeValues({ values, set: [], setString: [], ...given });
}

function rawOf(merged: { wire: Uint8Array }): string {
  return decodeMessage('hapi.chart.Config', merged.wire).raw;
}

test('values alone stay the bytes they are, broken ones too', () => {
  const odd = 'b:   1 # comment\na: [';
  assert.equal(rawOf(merge(odd, {})), odd);
  assert.throws(() => merge(odd, {}).parse(), {
    code: 3,
    message: /^values\.raw: error converting YAML to JSON/,
  });
});

test('nothing given is nothing', () => {
  assert.deepEqual(merge(undefined, {}).wire, new Uint8Array());
  assert.equal(merge(undefined, {}).parse().size, 0);
});

test('the old map of values is kept', () => {
  const values = encodeMessage('hapi.chart.Config', { raw: 'a: 1', values: { x: { value: 'y' } } });
  const { wire } = mergeValues({ values, set: ['a=2'], setString: [] });
  assert.deepEqual(decodeMessage('hapi.chart.Config', wire), {
    raw: 'a: 2\n',
    values: { x: { value: 'y' } },
  });
});

describe('merged in order: raw, JSON, set, set_string', () => {
  const cases: [string, string | undefined, Partial<GivenValues>, string][] = [
    ['an empty object', undefined, { valuesJson: {} }, '{}\n'],
    [
      'an object',
      undefined,
      { valuesJson: { b: [1, 'x', null, true], a: { c: 1.5 } } },
      'a:\n  c: 1.5\nb:\n- 1\n- x\n- null\n- true\n',
    ],
    ['tables are merged', 'a: {b: 1, c: 2}', { valuesJson: { a: { c: 3 } } }, 'a:\n  b: 1\n  c: 3\n'],
    ['lists are replaced', 'a: [1, 2]', { valuesJson: { a: [3] } }, 'a:\n- 3\n'],
    ['null replaces', 'a: {b: 1}', { valuesJson: { a: null } }, 'a: null\n'],
    ['a table replaces a scalar', 'a: 1', { valuesJson: { a: { b: 1 } } }, 'a:\n  b: 1\n'],
    [
      'each over the one before',
      'a: raw\nb: raw\nc: raw\nd: raw\n',
      { valuesJson: { b: 'json', c: 'json', d: 'json' }, set: ['c=set,d=set'], setString: ['d=1'] },
      'a: raw\nb: json\nc: set\nd: "1"\n',
    ],
    ['lines in order', undefined, { set: ['a=1', 'a=2'] }, 'a: 2\n'],
    [
      'large integers stay exact',
      'a: 12345678901234567890',
      { set: ['b=1'] },
      'a: 12345678901234567890\nb: 1\n',
    ],
    [
      'a large JSON number',
      undefined,
      { valuesJson: { a: 1e21, b: 1e20, c: 2 ** 53 } },
      'a: 1e+21\nb: 1e+20\nc: 9007199254740992\n',
    ],
    [
      'a key that objects have',
      undefined,
      { valuesJson: JSON.parse('{"__proto__": {"a": 1}}') },
      '__proto__:\n  a: 1\n',
    ],
  ];
  for (const [title, raw, given, written] of cases) {
    test(title, () => assert.equal(rawOf(merge(raw, given)), written));
  }
});

describe('what cannot be merged', () => {
  const deep = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { a: deep(levels - 1) });
  const cases: [string, string, Partial<GivenValues>, RegExp][] = [
    ['a list as values', '- a', { set: ['a=1'] }, /values\.raw: must be a map/],
    ['broken YAML', 'a: [', { valuesJson: {} }, /values\.raw: error converting/],
    ['JSON without end', '', { valuesJson: deep(2000) }, /values_json nests deeper/],
    ['too many', '', { valuesJson: { a: Array(600_000).fill(1) } }, /the values given are more than 100000/],
    ['what is no JSON', '', { valuesJson: { a: undefined } }, /no JSON value/],
    ['a line', '', { set: ['a'] }, /failed parsing set\[0\] at character 1: a name has no value/],
    ['a text line', '', { setString: ['a'] }, /failed parsing set_string\[0\]/],
  ];
  for (const [title, raw, given, message] of cases) {
    test(title, () => assert.throws(() => merge(raw, given), { code: 3, message }));
  }
});
