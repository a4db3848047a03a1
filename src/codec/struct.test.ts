import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonToWire } from './json-to-wire.ts';
import { messageType } from './schema.ts';
import { readStruct } from './well-known.ts';

const struct = messageType('google.protobuf.Struct');
const read = (json: string) => JSON.parse(JSON.stringify(readStruct(jsonToWire(struct, Buffer.from(json)))));

test('any JSON object survives as a Struct', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 })), value => {
      const json = JSON.stringify(value);
      assert.deepEqual(read(json), JSON.parse(json));
    }),
    { numRuns: 300 },
  );
});

test('an integer that a double cannot hold is refused, not changed', () => {
  assert.throws(() => read('{"a":{"b":[9007199254740993]}}'), {
    code: 3,
    message: /^a\.b\[0\]: 9007199254740993 does not fit/,
  });
  assert.deepEqual(read('{"a":9007199254740992}'), { a: 9007199254740992 });
});

test('nesting is bounded in both directions', () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  assert.deepEqual(read(deep(40)), JSON.parse(deep(40)));
  assert.throws(() => read(deep(102)), { code: 3 });
});

test('a name that is special in JavaScript is just a name', () => {
  assert.equal(read('{"__proto__":{"polluted":true}}').polluted, undefined);
  assert.deepEqual(Object.keys(read('{"__proto__":1}')), ['__proto__']);
});
