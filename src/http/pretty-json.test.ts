import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { indentJson, prettyJson } from './pretty-json.ts';

test('as JSON.stringify indents, for any value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const pretty = indentJson(Buffer.from(JSON.stringify(value))).toString();
      assert.equal(pretty, `${JSON.stringify(value, null, 2)}\n`);
    }),
    { numRuns: 300 },
  );
});

test('digits and the order of names stay as they are, which objects would not promise', () => {
  assert.equal(
    indentJson(Buffer.from('{"b":12345678901234567890,"1":"\\"{[,:]}"}')).toString(),
    '{\n  "b": 12345678901234567890,\n  "1": "\\"{[,:]}"\n}\n',
  );
});

test('a large text comes out of a thread as it would here, deep or wide', async () => {
  for (const value of [
    Array(200_000).fill({ a: [1] }),
    { text: 'x"'.repeat(500_000), deep: JSON.parse('['.repeat(90) + ']'.repeat(90)) },
  ]) {
    const json = Buffer.from(JSON.stringify(value));
    const { signal } = new AbortController();
    const pretty = await prettyJson({ what: 'the answer', bytes: json.length, signal }, json);
    assert.ok(pretty.equals(Buffer.from(`${JSON.stringify(value, null, 2)}\n`)));
  }
});
