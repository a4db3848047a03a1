import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { GatewayError } from '../protocol/index.ts';
import { parseYaml, type YamlValue, yamlToJson } from './index.ts';

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

/** What yaml.v2 refuses too; the words are js-yaml's or ours, and each names the line. */
const errors: readonly (readonly [string, string])[] = [
  ['a: [unclosed', 'yaml: line 1: unexpected end of the stream within a flow collection'],
  ['a: [', 'yaml: line 1: unexpected end of the stream within a flow collection'],
  ['a: {b', 'yaml: line 1: unexpected end of the stream within a flow collection'],
  ['a: 1\n- b\n', 'yaml: line 2: end of the stream or a document separator is expected'],
  ['- a\nb: 1\n', 'yaml: line 2: end of the stream or a document separator is expected'],
  ['a: b: c', 'yaml: line 1: bad indentation of a mapping entry'],
  ['x: 1\na: b: c', 'yaml: line 2: bad indentation of a mapping entry'],
  ['a: - b', 'yaml: line 1: bad indentation of a mapping entry'],
  [
    'a: 1\nb\nc: 2',
    'yaml: line 3: can not read a block mapping entry; a multiline key may not be an implicit key',
  ],
  ['a: 1\n{ b', 'yaml: line 2: unexpected end of the stream within a flow collection'],
  ['a:\n  b: 1\n  {{ .Values.x }}', "yaml: line 3: expected ':' after a mapping key"],
  ['labels:\n  a: b\n  {}\nc: d', "yaml: line 3: expected ':' after a mapping key"],
  ['a:\n\t- b', 'yaml: line 2: tab characters must not be used in indentation'],
  ['a: @b', 'yaml: line 1: bad indentation of a mapping entry'],
  ['a: "b', 'yaml: line 1: unexpected end of the stream within a double quoted scalar'],
  ['a: "b\n\n', 'yaml: line 3: deficient indentation'],
  ['a: "\n---\n"', 'yaml: line 2: deficient indentation'],
  ['a: "\\q"', 'yaml: line 1: unknown escape sequence'],
  ['a: "\\x4"', 'yaml: line 1: expected hexadecimal character'],
  ['a: "\\ud800"', 'yaml: line 1: found an escape that YAML 1.1 does not allow'],
  ['a: |0\n x', 'yaml: line 1: bad explicit indentation width of a block scalar; it cannot be less than one'],
  ['a: |x\n x', 'yaml: line 1: a line break is expected'],
  ['a: *x', 'yaml: line 1: unidentified alias "x"'],
  ['a: &a [*a]', "yaml: line 1: anchor 'a' value contains itself"],
  ['a: & b', 'yaml: line 1: name of an anchor node must contain at least one character'],
  ['a: !x!y z', 'yaml: line 1: undeclared tag handle "!x!"'],
  ['a: !!int x', 'yaml: line 1: cannot resolve a node with !<tag:yaml.org,2002:int> explicit tag'],
  ['a: !!bool 1', 'yaml: line 1: cannot resolve a node with !<tag:yaml.org,2002:bool> explicit tag'],
  ['a: !!binary "*"', 'yaml: line 1: cannot resolve a node with !<tag:yaml.org,2002:binary> explicit tag'],
  ['%YAML 1.2\n--- a', 'yaml: line 1: found incompatible YAML document'],
  ['%FOO\n--- a', 'yaml: line 1: found unknown directive name'],
  ['<<: 1', 'yaml: line 1: map merge requires map or sequence of maps as the value'],
  ['[a]: 1', 'yaml: line 1: invalid map key: a list cannot be one'],
  ['a: {{ .Values.x }}', 'yaml: line 1: invalid map key: a map cannot be one'],
  ['? {a: 1, b: [true, 1.5]}\n', 'yaml: line 1: invalid map key: a map cannot be one'],
  ['~: 1', 'yaml: line 1: unsupported map key: null'],
  ['a: .inf', 'yaml: line 1: json: unsupported value: +Inf'],
  ['a: \u0007', 'yaml: control characters are not allowed'],
  ['a: \ud800', 'yaml: invalid Unicode character'],
];

describe('errors', () => {
  for (const [text, message] of errors) {
    it(JSON.stringify(text), () => {
      assert.throws(
        () => parseYaml(text),
        (error: Error) => {
          assert.ok(error instanceof GatewayError);
          assert.equal(error.message, `error converting YAML to JSON: ${message}`);
          return true;
        },
      );
    });
  }
});

test('JSON has sorted keys and exact integers', () => {
  assert.equal(
    yamlToJson('b: 12345678901234567890\na: [yes, 1.50, 1e21, "<&>"]\nA: ~'),
    '{"A":null,"a":[true,1.5,1e+21,"\\u003c\\u0026\\u003e"],"b":12345678901234567890}',
  );
});

test('what begins like JSON is taken for JSON and left as it is', () => {
  assert.equal(yamlToJson(' {"b":1, "a":2}'), ' {"b":1, "a":2}');
});

test('an error in a text that becomes JSON has no words about converting', () => {
  assert.throws(() => yamlToJson('a: ['), {
    message: 'yaml: line 1: unexpected end of the stream within a flow collection',
  });
});
