/** What is JSON and what is not, with JSON.parse as the judge (RFC 8259). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jsonToWire } from './json-to-wire.ts';
import { decodeMessage, messageType } from './schema.ts';

const typeName = 'appscode.swift.v2.InstallReleaseRequest';

function read(text: string) {
  return decodeMessage(typeName, jsonToWire(messageType(typeName), Buffer.from(text)));
}

const malformedValues = [
  '',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[,]',
  '[1 2]',
  '[1;2]',
  '[1',
  '[',
  '1]',
  '[1}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a":1,,"b":2}',
  '{"a" 1}',
  '{"a"}',
  '{"a":}',
  '{"a"::1}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a":1',
  '{"a":1]',
  '{"a":1 "b":2}',
  '"a',
  "'a'",
  '"\t"',
  '"a\nb"',
  '"\\x41"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\"',
  '01',
  '-',
  '-01',
  '+1',
  '1.',
  '.5',
  '1e',
  '1e+',
  '1.e3',
  '0x10',
  '1_000',
  '- 1',
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  'True',
  'nul',
  'tru e',
  'nulll',
  'truefalse',
  '/* a */ 1',
  '1 // a',
  '[1]]',
  '1 2',
  '\u00a01',
  '\u000b1',
];

const oddValues = [
  '[]',
  '[ ]',
  '[\n]',
  '{}',
  '{ \t\r\n }',
  '[[]]',
  '[[[[[[]]]]]]',
  '[{}]',
  '{"a":{}}',
  '{"":""}',
  '{"a":1,"a":2}',
  '{"\\u0061":1}',
  '{"__proto__":1}',
  '[1 , 2]',
  ' 1 ',
  '\r\n1\t',
  '0',
  '-0',
  '0.0',
  '-0.0',
  '0e0',
  '1E3',
  '1e+3',
  '1e-3',
  '1.50',
  '1e999',
  '-1e-999',
  '123456789012345678901234567890',
  '0.1234567890123456789',
  '""',
  '" "',
  '"\\""',
  '"\\\\"',
  '"\\/"',
  '"/"',
  '"\\b\\f\\n\\r\\t"',
  '"\\u0000"',
  '"\\uD83D\\uDE00"',
  '"\\ud800"',
  '"\u007f"',
  '"\u2028\u2029"',
  '"😀"',
  '"\ufeff"',
  '"[1,]"',
  'true',
  'false',
  'null',
  '[null,true,false]',
  '[""," ",""]',
];

/** Where a value can stand in a request: below a name that is unknown, and there in a list or an object. */
const places: Record<string, (value: string) => string> = {
  'of an unknown name': value => `{"colour":${value},"name":"a"}`,
  'in a list': value => `{"colour":[${value}],"name":"a"}`,
  'in an object': value => `{"colour":{"x":${value}},"name":"a"}`,
};

for (const [place, around] of Object.entries(places)) {
  describe(`a value ${place}`, () => {
    for (const value of malformedValues) {
      if (value === '' && place === 'in a list') continue; // an empty list
      test(`${JSON.stringify(value)} is refused`, () => {
        const text = around(value);
        assert.throws(() => JSON.parse(text), SyntaxError);
        assert.throws(() => read(text), { name: 'GatewayError', code: 3, message: /^the JSON body .*line / });
      });
    }
    for (const value of oddValues) {
      test(`${JSON.stringify(value)} is read`, () => {
        const text = around(value);
        assert.equal(JSON.parse(text).name, 'a');
        assert.equal(read(text).name, 'a');
      });
    }
  });
}

describe('a list of the contract', () => {
  const around = (list: string) => `{"chart":{"metadata":{"keywords":${list}}}}`;
  for (const list of ['["a",]', '[,"a"]', '["a" "b"]', '["a"', '["a"}', '["a",,"b"]']) {
    test(`${list} is refused`, () => {
      assert.throws(() => JSON.parse(around(list)), SyntaxError);
      assert.throws(() => read(around(list)), { name: 'GatewayError', code: 3 });
    });
  }
});

describe('a body', () => {
  for (const text of [
    '',
    ' ',
    '{',
    '}',
    '{"name":"a"}}',
    '{"name":"a"} {}',
    '{"name":"a"},',
    '{"name":"a",}',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => JSON.parse(text), SyntaxError);
      assert.throws(() => read(text), { name: 'GatewayError', code: 3 });
    });
  }

  for (const text of [
    '{"name":"a"}',
    ' \r\n\t{ "name" : "a" } \n',
    '{"name":"\\u0061"}',
    '{"na\\u006de":"a"}',
  ]) {
    test(`${JSON.stringify(text)} is read`, () => assert.equal(read(text).name, JSON.parse(text).name));
  }
});
