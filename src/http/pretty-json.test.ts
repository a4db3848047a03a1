import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { prettyJson } from './pretty-json.ts';

test('as JSON.stringify indents, for any value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async value => {
      const pretty = (await prettyJson(Buffer.from(JSON.stringify(value)))).toString();
      assert.equal(pretty, `${JSON.stringify(value, null, 2)}\n`);
    }),
    { numRuns: 300 },
  );
});

test('digits and the order of names stay as they are, which objects would not promise', async () => {
  assert.equal(
    (await prettyJson(Buffer.from('{"b":12345678901234567890,"1":"\\"{[,:]}"}'))).toString(),
    '{\n  "b": 12345678901234567890,\n  "1": "\\"{[,:]}"\n}\n',
  );
});

test('a large text lets others have their turn, deep or wide', async () => {
  for (const value of [
    Array(200_000).fill({ a: [1] }),
    { text: 'x"'.repeat(500_000), deep: JSON.parse('['.repeat(90) + ']'.repeat(90)) },
  ]) {
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    const pretty = await prettyJson(Buffer.from(JSON.stringify(value)));
    clearInterval(count);
    assert.ok(pretty.equals(Buffer.from(`${JSON.stringify(value, null, 2)}\n`)));
    if (pretty.length > 4_000_000) assert.ok(turns > 0);
  }
});
