import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../../test/support/any-text.ts';
import { formatFloatE, formatFloatF, formatFloatG, shortestFloat32 } from './go-float.ts';
import { goJson } from './go-json.ts';
import { compareUtf8 } from './order.ts';

/** Source: https://pkg.go.dev/encoding/json#Marshal */
test('JSON is written as encoding/json writes it', () => {
  const value = new Map<string, never>([
    ['b', [null, true, 1n, 2.5] as never],
    ['a<', '<&>\u2028\u2029"\\\n\r\t\b\f\u0001\u007f é😀' as never],
    ['', new Map() as never],
    ['Z', [] as never],
  ]);
  assert.equal(
    goJson(value),
    '{"":{},"Z":[],"a\\u003c":"\\u003c\\u0026\\u003e\\u2028\\u2029\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0001\u007f é😀","b":[null,true,1,2.5]}',
  );
  assert.equal(goJson('\ud800x'), '"\ufffdx"');
  assert.equal(goJson(-(1n << 80n)), '-1208925819614629174706176');
});

test('indented JSON is written as MarshalIndent writes it', () => {
  const value = new Map([['a', [1n, new Map([['b', [] as never]])] as never]]);
  assert.equal(goJson(value, '  '), '{\n  "a": [\n    1,\n    {\n      "b": []\n    }\n  ]\n}');
});

test('floats in JSON have an exponent below 1e-6 and from 1e21 on', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [-1.5e300, '-1.5e+300'],
    [0.000001, '0.000001'],
    [9.99e-7, '9.99e-7'],
    [1e-10, '1e-10'],
    [5e-324, '5e-324'],
    [0.1 + 0.2, '0.30000000000000004'],
  ];
  for (const [value, text] of cases) assert.equal(goJson(value), text);
});

/** Source: https://pkg.go.dev/strconv#FormatFloat, with precision -1. */
test('floats are written as strconv writes them', () => {
  const cases: [number, e: string, f: string, g: string][] = [
    [0, '0e+00', '0', '0'],
    [1, '1e+00', '1', '1'],
    [-2.5, '-2.5e+00', '-2.5', '-2.5'],
    [123456, '1.23456e+05', '123456', '123456'],
    [1000000, '1e+06', '1000000', '1e+06'],
    [1234567.5, '1.2345675e+06', '1234567.5', '1.2345675e+06'],
    [0.0001, '1e-04', '0.0001', '0.0001'],
    [0.00001, '1e-05', '0.00001', '1e-05'],
    [1e100, '1e+100', `1${'0'.repeat(100)}`, '1e+100'],
    [Number.NaN, 'NaN', 'NaN', 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Inf', '-Inf', '-Inf'],
  ];
  for (const [value, e, f, g] of cases) {
    assert.deepEqual([formatFloatE(value), formatFloatF(value), formatFloatG(value)], [e, f, g]);
  }
});

test('every form of a float reads back as the same float', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
      for (const text of [formatFloatE(value), formatFloatF(value), formatFloatG(value), goJson(value)]) {
        assert.ok(Object.is(Number(text), value), `${value}: ${text}`);
      }
    }),
    { numRuns: 1_000, seed: 20_261_121 },
  );
});

test('the shortest float of 32 bits is the same in 32 bits', () => {
  assert.equal(shortestFloat32(0.1), 0.1);
  assert.equal(shortestFloat32(16777217), 16777216);
  assert.equal(shortestFloat32(1.23456789012), 1.2345679);
  fc.assert(
    fc.property(fc.float({ noNaN: true }), value => {
      assert.equal(Math.fround(shortestFloat32(value)), value);
    }),
    { numRuns: 500, seed: 20_261_121 },
  );
});

test('strings are ordered by their UTF-8 bytes', () => {
  fc.assert(
    fc.property(anyText(), anyText(), (a, b) => {
      assert.equal(Math.sign(compareUtf8(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 1_000, seed: 20_261_121 },
  );
});
