import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { goJson, parseYaml } from './index.ts';

/** What libyaml takes and YAML 1.2 does not; the values are those that yaml.v2 gives. */
const taken: readonly (readonly [string, string])[] = [
  ['a: [\n]\nb: {\n}', '{"a":[],"b":{}}'],
  ['a:\n  b: {\n  c: [d,\ne]\n}\n  f: 1', '{"a":{"b":{"c":["d","e"]},"f":1}}'],
  ['- a: [\n  b\n]\n- {\nc: d}', '[{"a":["b"]},{"c":"d"}]'],
  ['a: {\n\t"b": 1\n}', '{"a":{"b":1}}'],
  ['a: "x\ny"\nb: \'x\n\ny\'', '{"a":"x y","b":"x\\ny"}'],
  ['&x a: |\n  [y\nb: [c\n]', '{"a":"[y\\n","b":["c"]}'],
  ['a: # [b\n  c: "#d\ne"', '{"a":{"c":"#d e"}}'],
  ['a: |\n  x', '{"a":"x"}'],
  ['a: b\u0085c: d', '{"a":"b","c":"d"}'],
  ['a: [\n]\n---\nb: [', '{"a":[]}'],
  ['a: |\n  - \tx\n  -\ty', '{"a":"- \\tx\\n-\\ty"}'],
  ['a: "x\n  - \ty"\nb: x\n  - \ty', '{"a":"x - \\ty","b":"x - \\ty"}'],
  ['- a: \tb\n  c:\td', '[{"a":"b","c":"d"}]'],
  // a lone `!` makes a text of a scalar, and nothing of a list or a map (seen with kubectl, which reads by yaml.v2)
  ['[! 12]', '["12"]'],
  ['! "12"', '"12"'],
  ['- ! true\n- ! null\n- ! &x 1.5\n- *x', '["true","null","1.5","1.5"]'],
  ['! {a: ! [b]}', '{"a":["b"]}'],
];

describe('what libyaml takes beyond YAML 1.2', () => {
  for (const [text, json] of taken) {
    test(JSON.stringify(text), () => assert.equal(goJson(parseYaml(text)), json));
  }
});

/** What js-yaml takes and libyaml does not, or takes for something else; and what libyaml takes, but no real chart has. */
const refused: readonly string[] = [
  'a: "x"#c',
  'a: [w]#c',
  'a: "it\\\'s"',
  'a:\t[b]',
  'a: [-, b]',
  'a: b\n  [c\nd: [e\n]',
  'a: "b\u2028  c"',
  '- \ta',
  '-\ta',
  '- a\n- - \tb',
  'a: b\nc:\n  - \t&x d',
  '- \t# comment\n  a',
  '-\t\n- a',
  '? \ta\n: b',
  '- ? \ta\n  : b',
  '? a\n: \tb',
  'a: b\n\t# comment',
  'a: b\n\t\nc: d',
  '- |\n  x\n\t\n- y',
  '[a ?b]',
  '[:a]',
  '{a:, b: c}',
  '{a\n: b}',
  '{"a\nb": c}',
  `{${'k'.repeat(1_100)}: 1}`,
  `${'k'.repeat(1_100)}: 1`,
  '"\\/"',
  '"\\ud83d\\ude00"',
  '"\\U00110000"',
  '"a\\\n\n b"',
  'a: !!str b: c',
  '&a.b c',
  '[!t, a]',
  '%YAML 1.2\n--- a',
  '...\na: 1',
  'a: b\u2028c',
  ' --- a',
  'a: 1\n\ufeffb: 2',
];

describe('what YAML 1.2 takes beyond libyaml is refused', () => {
  for (const text of refused) {
    test(JSON.stringify(text.slice(0, 40)), () =>
      assert.throws(() => parseYaml(text), { name: 'GatewayError' }),
    );
  }
});

test('white space is put in only where it changes no value', () => {
  // the block scalar ends at `b`, which is no key: nothing that was put in may make it one
  assert.throws(() => parseYaml('a: |\n  [x\n b\nc: [d\n]'), { name: 'GatewayError' });
});
