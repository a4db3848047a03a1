import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prettyJson } from './pretty-json.ts';

test('as JSON.stringify indents, for any value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const pretty = prettyJson(Buffer.from(JSON.stringify(value))).toString();
      assert.equal(pretty, `${JSON.stringify(value, null, 2)}\n`);
    }),
    { numRuns: 300 },
  );
});

test('digits and the order of names stay as they are, which objects would not promise', () => {
  assert.equal(
    prettyJson(Buffer.from('{"b":12345678901234567890,"1":"\\"{[,:]}"}')).toString(),
    '{\n  "b": 12345678901234567890,\n  "1": "\\"{[,:]}"\n}\n',
  );
});
