import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage } from '../../codec/index.ts';
import { checkApiVersions, parseChartFile } from './chart.ts';

function parse(yaml: string) {
  return { ...parseChartFile(Buffer.from(yaml)).metadata };
}

test('every field', () => {
  const yaml = `
apiVersion: v1
name: web
version: 1.4.2
appVersion: "2.7"
description: d
home: h
icon: i
keywords: [a, b]
sources: [s]
maintainers: [{name: 'n', email: e, url: u}]
engine: gotpl
kubeVersion: ">=1.10.0-0"
tillerVersion: ">=2.9.0"
condition: c
tags: t
deprecated: true
annotations: {category: sample}
`;
  assert.deepEqual(JSON.parse(JSON.stringify(parse(yaml))), {
    apiVersion: 'v1',
    name: 'web',
    version: '1.4.2',
    appVersion: '2.7',
    description: 'd',
    home: 'h',
    icon: 'i',
    keywords: ['a', 'b'],
    sources: ['s'],
    maintainers: [{ name: 'n', email: 'e', url: 'u' }],
    engine: 'gotpl',
    kubeVersion: '>=1.10.0-0',
    tillerVersion: '>=2.9.0',
    condition: 'c',
    tags: 't',
    deprecated: true,
    annotations: { category: 'sample' },
  });
});

describe('text that was written as something else', () => {
  const cases: [string, string][] = [
    ['1', '1'],
    ['1.0', '1'],
    ['1.10', '1.1'],
    ['0x10', '16'],
    ['010', '8'],
    ['true', 'true'],
    ['yes', 'true'],
    ['12345678901234567', '12345678901234567'],
    ['1234567.5', '1.2345675e+06'],
    ['0.1', '0.1'],
    ['2019-01-01', '2019-01-01'],
  ];
  for (const [written, text] of cases) {
    test(`appVersion: ${written}`, () =>
      assert.equal(parse(`name: a\nappVersion: ${written}`).appVersion, text));
  }
});

test('names match in any case, and unknown ones are dropped', () => {
  assert.deepEqual(parse('NAME: a\nAppversion: 2.x\ntype: application'), { name: 'a', appVersion: '2.x' });
});

test('of two names that differ in case alone the later in byte order wins', () => {
  assert.equal(parse('name: small\nName: large').name, 'small');
});

test('null leaves a field out', () => {
  assert.deepEqual(parse('name: a\nversion: ~\nkeywords: ~\nannotations: null\ndeprecated:'), { name: 'a' });
});

test('keys of annotations are only keys', () => {
  const { annotations } = parse('name: a\nannotations: {__proto__: x, a: 1}');
  assert.deepEqual(Object.entries(annotations ?? {}), [
    ['__proto__', 'x'],
    ['a', '1'],
  ]);
});

describe('fields of the wrong type', () => {
  const cases: [string, RegExp][] = [
    ['name: [a]', /Chart\.yaml: name must be text/],
    ['name: a\nkeywords: a', /keywords must be a list/],
    ['name: a\nkeywords: [{a: b}]', /keywords\[0\] must be text/],
    ['name: a\nmaintainers: [n]', /maintainers\[0\] must be a map/],
    ['name: a\ndeprecated: "true"', /deprecated must be true or false/],
    ['name: a\nannotations: [a]', /annotations must be a map/],
  ];
  for (const [yaml, message] of cases) {
    test(yaml, () => assert.throws(() => parse(yaml), { code: 3, message }));
  }
});

describe('a chart that a request has ready-made', () => {
  const chart = (apiVersion: string, inside: string[] = []): Buffer =>
    encodeMessage('hapi.chart.Chart', {
      metadata: { name: 'a', apiVersion },
      dependencies: inside.map(version => ({ metadata: { name: 'b', apiVersion: version } })),
    });
  for (const version of ['', 'v1']) {
    test(`apiVersion "${version}"`, () => checkApiVersions(chart(version, ['v1', version])));
  }
  for (const version of ['v2', 'v3', 'V1', '1', ' v1']) {
    test(`apiVersion "${version}" is refused, in charts inside as well`, () => {
      assert.throws(() => checkApiVersions(chart(version)), { code: 3, message: /is not valid/ });
      assert.throws(() => checkApiVersions(chart('v1', ['', version])), { code: 3, message: /is not valid/ });
    });
  }
});
