import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HelmRenderError } from '../chart/helm-render-error.ts';
import { parseYaml, type YamlValue } from './index.ts';

const map = (entries: Record<string, YamlValue>): YamlValue => new Map(Object.entries(entries));

/** Texts and their values; the rules are those of https://yaml.org/type/ as far as yaml.v2 follows them. */
const scalars: readonly (readonly [string, YamlValue])[] = [
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    word => [word, true] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    word => [word, false] as const,
  ),
  ...['~', 'null', 'Null', 'NULL'].map(word => [word, null] as const),
  ...['yEs', 'tRue', 'oN', 'nULL', 'nil', 'None', '~~'].map(word => [word, word] as const),
  ['0', 0n],
  ['-0', 0n],
  ['+12', 12n],
  ['1_000_000', 1_000_000n],
  ['0x1F', 31n],
  ['0X1f', 31n],
  ['-0x10', -16n],
  ['0755', 493n],
  ['0o17', 15n],
  ['0b101', 5n],
  ['-0b11', -3n],
  ['0_7', 7n],
  ['9223372036854775807', 9223372036854775807n],
  ['9223372036854775808', 9223372036854775808n],
  ['18446744073709551615', 18446744073709551615n],
  ['18446744073709551616', 2 ** 64],
  ['-9223372036854775808', -9223372036854775808n],
  ['-9223372036854775809', -(2 ** 63)],
  ['+9223372036854775808', 2 ** 63],
  ['08', 8],
  ['0x', '0x'],
  ['0b2', '0b2'],
  ['1.0', 1],
  ['1.', 1],
  ['.5', 0.5],
  ['+.5', 0.5],
  ['-1.5e3', -1500],
  ['1e3', 1000],
  ['1E-2', 0.01],
  ['1e400', '1e400'],
  ['1.2.3', '1.2.3'],
  ['-', '-'],
  ['+', '+'],
  ['.', '.'],
  ['...a', '...a'],
  ['190:20:30', '190:20:30'],
  ['2020-02-29', '2020-02-29'],
  ['2020-02-29T01:02:03Z', '2020-02-29T01:02:03Z'],
  ['2020-02-29  01:02:03', '2020-02-29  01:02:03'],
  ['"12"', '12'],
  ["'true'", 'true'],
  ['!!str 12', '12'],
  ['!!int "12"', 12n],
  ['!!float 1', 1],
  ['!!bool yes', true],
  ['!!null ""', null],
  ['!!binary aGk=', 'hi'],
  ['!custom 12', '12'],
  ['! 12', '12'],
  ['! "12"', '12'],
  ['! true', 'true'],
  ['! ~', '~'],
];

describe('scalars by yaml.v2', () => {
  for (const [text, value] of scalars) {
    it(JSON.stringify(text), () => assert.deepEqual(parseYaml(`[${text}, x]`), [value, 'x']));
  }
});

/** Source: https://yaml.org/spec/1.1/ and, where it is unclear, libyaml. */
const documents: readonly (readonly [string, YamlValue])[] = [
  ['', null],
  ['# only a comment\n', null],
  ['---\n', null],
  ['---\n...\n', null],
  ['--- a\n--- b\n', 'a'],
  ['a: 1\n---\n[ broken', map({ a: 1n })],
  ['\ufeffa: 1', map({ a: 1n })],
  ['%YAML 1.1\n--- a', 'a'],
  ['%TAG !e! tag:yaml.org,2002:\n--- !e!str 1', '1'],
  ['a: 1\r\nb: 2\r\n', map({ a: 1n, b: 2n })],
  ['a:\n- 1\n- 2\nb:\n  - 3\n', map({ a: [1n, 2n], b: [3n] })],
  ['- - a\n  - b\n- c: 1\n  d: 2\n', [['a', 'b'], map({ c: 1n, d: 2n })]],
  ['a: b\n  c\n\n  d', map({ a: 'b c\nd' })],
  ['a: "x\n  y\n\n  z\\\n   w\\n"', map({ a: 'x y\nzw\n' })],
  ["a: 'it''s\n  two'", map({ a: "it's two" })],
  ['"\\x41\\u00e9\\U0001F600\\t"', 'Aé😀\t'],
  ['a: |\n  x\n   y\n\nb: >\n  x\n  y\n\n  z\n   w\n', map({ a: 'x\n y\n', b: 'x y\nz\n w\n' })],
  ['a: |-\n  x\n\nb: |+\n  x\n\n', map({ a: 'x', b: 'x\n\n' })],
  ['a: |2\n    x\n', map({ a: '  x\n' })],
  ['a: |', map({ a: '' })],
  ['{a: 1, "b":2, c}', map({ a: 1n, b: 2n, c: null })],
  ['[a: 1, {b: c}, ]', [map({ a: 1n }), map({ b: 'c' })]],
  ['{a: http://x:80/y, b:c}', map({ a: 'http://x:80/y', 'b:c': null })],
  ['? a\n: b\n? c\n', map({ a: 'b', c: null })],
  ['a: &x [1]\nb: *x', map({ a: [1n], b: [1n] })],
  ['&a a: *a', map({ a: 'a' })],
  ['a: &m {x: 1}\nb:\n  <<: *m\n  z: 4', map({ a: map({ x: 1n }), b: map({ x: 1n, z: 4n }) })],
  ['a: 1\n<<: [{a: 2, b: 2}, {b: 3}]', map({ a: 2n, b: 2n })],
  ['"<<": 1', map({ '<<': 1n })],
  ['a: 1\na: 2', map({ a: 2n })],
  ['\ufeffa: 1\nb: 2', map({ a: 1n, b: 2n })],
  ['1: a\n1.5: b\ntrue: c\n0x10: d\n1e30: e', map({ 1: 'a', 1.5: 'b', true: 'c', 16: 'd', '1e+30': 'e' })],
  ['0.1: a\n.inf: b', map({ '0.1': 'a', '.inf': 'b' })],
  [
    '__proto__: 1\nconstructor: 2',
    new Map([
      ['__proto__', 1n],
      ['constructor', 2n],
    ]),
  ],
];

describe('documents by yaml.v2', () => {
  for (const [text, value] of documents) {
    it(JSON.stringify(text), () => assert.deepEqual(parseYaml(text), value));
  }
});

/** The words and line numbers of libyaml, as yaml.v2 gives them. */
const errors: readonly (readonly [string, string])[] = [
  ['a: [unclosed', "yaml: line 1: did not find expected ',' or ']'"],
  ['a: [', 'yaml: line 1: did not find expected node content'],
  ['a: {b', "yaml: line 1: did not find expected ',' or '}'"],
  ['a: 1\n- b\n', 'yaml: line 1: did not find expected key'],
  ['- a\nb: 1\n', "yaml: line 1: did not find expected '-' indicator"],
  ['a: b: c', 'yaml: mapping values are not allowed in this context'],
  ['x: 1\na: b: c', 'yaml: line 2: mapping values are not allowed in this context'],
  ['a: - b', 'yaml: block sequence entries are not allowed in this context'],
  ['a: 1\nb\nc: 2', "yaml: line 3: could not find expected ':'"],
  ['a: 1\n{ b', "yaml: line 3: could not find expected ':'"],
  ['a:\n  b: 1\n  {{ .Values.x }}', "yaml: line 4: could not find expected ':'"],
  ['labels:\n  a: b\n  {}\nc: d', 'yaml: line 2: did not find expected key'],
  ['a:\n\t- b', 'yaml: line 2: found character that cannot start any token'],
  ['a: @b', 'yaml: found character that cannot start any token'],
  ['a: "b', 'yaml: found unexpected end of stream'],
  ['a: "b\n\n', 'yaml: line 3: found unexpected end of stream'],
  ['a: "\n---\n"', 'yaml: line 2: found unexpected document indicator'],
  ['a: "\\q"', 'yaml: found unknown escape character'],
  ['a: "\\x4"', 'yaml: did not find expected hexdecimal number'],
  ['a: "\\ud800"', 'yaml: found invalid Unicode character escape code'],
  ['a: |0\n x', 'yaml: found an indentation indicator equal to 0'],
  ['a: |x\n x', 'yaml: did not find expected comment or line break'],
  ['a: *x', "yaml: unknown anchor 'x' referenced"],
  ['a: &a [*a]', "yaml: anchor 'a' value contains itself"],
  ['a: & b', 'yaml: did not find expected alphabetic or numeric character'],
  ['a: !x!y z', 'yaml: found undefined tag handle'],
  ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
  ['a: !!bool 1', 'yaml: cannot decode !!int `1` as a !!bool'],
  ['a: !!binary "*"', 'yaml: !!binary value contains invalid base64 data'],
  ['%YAML 1.2\n--- a', 'yaml: found incompatible YAML document'],
  ['%FOO\n--- a', 'yaml: found unknown directive name'],
  ['<<: 1', 'yaml: map merge requires map or sequence of maps as the value'],
  ['[a]: 1', 'yaml: invalid map key: []interface {}{"a"}'],
  [
    'a: {{ .Values.x }}',
    'yaml: invalid map key: map[interface {}]interface {}{".Values.x":interface {}(nil)}',
  ],
  [
    '? {a: 1, b: [true, 1.5]}\n',
    'yaml: invalid map key: map[interface {}]interface {}{"a":1, "b":[]interface {}{true, 1.5}}',
  ],
  ['~: 1', 'Unsupported map key of type: %!s(<nil>), key: <nil>, value: 1'],
  ['a: .inf', 'json: unsupported value: +Inf'],
  ['a: \u0007', 'yaml: control characters are not allowed'],
  ['a: \ud800', 'yaml: invalid Unicode character'],
];

describe('errors by yaml.v2', () => {
  for (const [text, message] of errors) {
    it(JSON.stringify(text), () => {
      assert.throws(
        () => parseYaml(text),
        (error: Error) => {
          assert.ok(error instanceof HelmRenderError);
          assert.equal(error.message, `error converting YAML to JSON: ${message}`);
          return true;
        },
      );
    });
  }
});
