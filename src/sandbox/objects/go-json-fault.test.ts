import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { goJsonFault } from './go-json-fault.ts';

const faults: Record<string, string> = {
  '': 'unexpected end of JSON input',
  '{': 'unexpected end of JSON input',
  'not json': "invalid character 'o' in literal null (expecting 'u')",
  '{"a":1,}': "invalid character '}' looking for beginning of object key string",
  '{"a" 1}': "invalid character '1' after object key",
  '{"a":1 2}': "invalid character '2' after object key:value pair",
  '[1 2]': "invalid character '2' after array element",
  '1 2': "invalid character '2' after top-level value",
  '-x': "invalid character 'x' in numeric literal",
  '"\\q"': "invalid character 'q' in string escape code",
  '\x9e': "invalid character '\\u009e' looking for beginning of value",
};

test('faults are worded as Go words them', () => {
  for (const [text, fault] of Object.entries(faults)) assert.equal(goJsonFault(text), fault, text);
});

test('what is no JSON is a fault, and nothing else is', () => {
  const almost = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 1 })).map(([text, at, put]) => {
    const start = at % (text.length + 1);
    return `${text.slice(0, start)}${put}${text.slice(start + 1)}`;
  });
  fc.assert(
    fc.property(fc.oneof(fc.json(), almost), text => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      return (goJsonFault(text) === undefined) === isJson;
    }),
    { numRuns: 2_000 },
  );
});
