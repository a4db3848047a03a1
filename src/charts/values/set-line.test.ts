import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseYaml, writeYaml, type YamlMap } from '../../yaml/index.ts';
import { applySetLines } from './set-line.ts';

function set(line: string, values = '', isText = false): string {
  const map = (parseYaml(values) ?? new Map()) as YamlMap;
  if (isText) applySetLines(map, [], [line]);
  else applySetLines(map, [line], []);
  return writeYaml(map);
}

describe('set', () => {
  // line, values before as YAML, values after as Helm writes them
  const cases: [string, string, string][] = [
    ['', '', '{}\n'],
    ['a=1', '', 'a: 1\n'],
    ['a=1,b=two', '', 'a: 1\nb: two\n'],
    ['a=1,', '', 'a: 1\n'],
    ['a=', '', 'a: ""\n'],
    ['a=,b=1', '', 'a: ""\nb: 1\n'],
    ['a=b=c', '', 'a: b=c\n'],
    ['a= b ', '', 'a: '.concat("' b '\n")],
    ['a.b.c=x', '', 'a:\n  b:\n    c: x\n'],
    ['a.b=2', 'a: {b: 1, c: 3}', 'a:\n  b: 2\n  c: 3\n'],
    ['a=TRUE,b=False,c=NULL', '', 'a: true\nb: false\nc: null\n'],
    [
      'a=0,b=-5,c=+7,d=007,e=0x1,f=1.5,g=1e3',
      '',
      'a: 0\nb: -5\nc: 7\nd: "007"\ne: "0x1"\nf: "1.5"\ng: "1e3"\n',
    ],
    ['a=9223372036854775807,b=9223372036854775808', '', 'a: 9223372036854775807\nb: "9223372036854775808"\n'],
    ['a={}', '', 'a:\n- ""\n'],
    ['a={1,b,null},c=d', '', 'a:\n- 1\n- b\n- null\nc: d\n'],
    ['a={1}b=2', '', 'a:\n- 1\nb: 2\n'],
    ['a[0]=x', '', 'a:\n- x\n'],
    ['a[2]=x', '', 'a:\n- null\n- null\n- x\n'],
    ['a[0]=x,a[1]=y', '', 'a:\n- x\n- "y"\n'],
    ['a[1]=x', 'a: [1, 2, 3]', 'a:\n- 1\n- x\n- 3\n'],
    ['a[0].b=1,a[0].c=2', '', 'a:\n- b: 1\n  c: 2\n'],
    ['a[0].b=1', 'a: [x]', 'a:\n- b: 1\n'],
    ['a[0][1]=x', '', 'a:\n- - null\n  - x\n'],
    ['a[0][1]=x,a[0][0]=y', '', 'a:\n- - "y"\n  - x\n'],
    ['a[0]={x,y}', '', 'a:\n- - x\n  - "y"\n'],
    ['a\\.b=1', '', 'a.b: 1\n'],
    ['a=x\\,y', '', 'a: x,y\n'],
    ['a=\\{x\\}', '', "a: '{x}'\n"],
    ['a={x\\,y,\\}}', '', "a:\n- x,y\n- '}'\n"],
    ['a[0]\\.b=1'.replace('[0]', '\\[0\\]'), '', 'a[0].b: 1\n'],
    ['=x', '', '{}\n'],
    ['a=\\𝔘ü', '', 'a: "\\U0001D518ü"\n'],
    ['a[0]', '', 'a: []\n'],
    ['a[0].b=', '', 'a:\n- b: ""\n'],
    ['a[0][1]=', '', 'a:\n- - null\n  - ""\n'],
    ['a[0].b=,c=1', '', 'a:\n- b: ""\nc: 1\n'],
    ['a.b=1', 'a: null', 'a:\n  b: 1\n'],
    ['a=null', 'a: {b: 1}', 'a: null\n'],
  ];
  for (const [line, before, after] of cases) {
    test(`${line} ${before && `over ${before}`}`, () => assert.equal(set(line, before), after));
  }
});

describe('set_string', () => {
  const cases: [string, string][] = [
    ['a=1,b=true,c=null', 'a: "1"\nb: "true"\nc: "null"\n'],
    ['a={1,true}', 'a:\n- "1"\n- "true"\n'],
    ['a[0].b=0', 'a:\n- b: "0"\n'],
  ];
  for (const [line, after] of cases) test(line, () => assert.equal(set(line, '', true), after));
});

describe('what cannot be read', () => {
  const cases: [string, string, RegExp][] = [
    ['a', '', /a name has no value$/],
    ['a,b=1', '', /^failed parsing set\[0\] at character 2: a name has no value \(it cannot end/],
    ['a.b', '', /a name has no value$/],
    ['a.', '', /a name has no value$/],
    ['a[', '', /an index has no closing ]/],
    ['a[x]=1', '', /an index is no number/],
    ['a[-1]=1', '', /an index is negative/],
    ['a[99999]=1', '', /greater than 65536/],
    [Array.from({ length: 20 }, (_, index) => `a${index}[65536]=1`).join(','), '', /lists that are too long/],
    ['a=1,'.repeat(300_000), '', /longer than 1048576/],
    ['a[0]x=1', '', /unexpected data behind an index/],
    ['a={1', '', /a list has no closing }/],
    ['a.b=1', 'a: text', /in what is not a map/],
    ['a[0]=1', 'a: text', /for what is not a list/],
    ['a[0][0]=1', 'a: [text]', /for what is not a list/],
    [`${'a.'.repeat(40)}b=1`, '', /more than 30 levels/],
    [`a${'[0]'.repeat(40)}=1`, '', /more than 30 levels/],
  ];
  for (const [line, before, message] of cases) {
    test(line.slice(0, 40), () => assert.throws(() => set(line, before), { code: 3, message }));
  }
});
