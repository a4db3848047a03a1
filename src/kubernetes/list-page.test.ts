import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/any-text.ts';
import { parseListPage, parseWithBytes } from './list-page.ts';

const long = fc.oneof(
  fc.integer({ min: 1_000, max: 3_000 }).map(length => 'H4sI'.repeat(length)),
  anyText({ minLength: 1_000, maxLength: 1_100 }),
);
const text = fc.oneof(long, anyText(), fc.constantFrom('"release":"', '\\"release":"x', '"'));
const key = fc.oneof(fc.constantFrom('release', '"release', 'name'), fc.string());
const { value } = fc.letrec(tie => ({
  value: fc.oneof({ depthSize: 'small' }, text, fc.integer(), fc.array(tie('value')), tie('object')),
  object: fc.dictionary(key, tie('value')),
}));

/** The same, with texts for Buffers. */
function withTexts(given: unknown): unknown {
  if (Buffer.isBuffer(given)) return given.toString();
  if (Array.isArray(given)) return given.map(withTexts);
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([name, item]) => [name, withTexts(item)]));
}

test('long texts come as bytes, and are the same as those of JSON.parse', () => {
  fc.assert(
    fc.property(value, given => {
      const json = JSON.stringify(given);
      assert.deepEqual(withTexts(parseWithBytes(Buffer.from(json), 'release')), withTexts(JSON.parse(json)));
    }),
  );
});

test('only long texts of the key, without escapes, are views of the page', () => {
  const release = 'x'.repeat(2_000);
  const page = Buffer.from(
    JSON.stringify({
      metadata: { resourceVersion: '7' },
      items: [
        { data: { release, other: release } },
        { data: { release: 'short' } },
        { data: { release: `\n${release}` } },
      ],
    }),
  );
  const { items } = parseListPage<{ data: Record<string, unknown> }>(page, 'listing', 'release');
  const view = items[0]!.data.release as Buffer;
  assert.equal(view.buffer, page.buffer);
  assert.equal(view.toString(), release);
  assert.deepEqual(
    [items[0]!.data.other, items[1]!.data.release, items[2]!.data.release],
    [release, 'short', `\n${release}`],
  );
});

test('a page that ends within a text is not JSON', () => {
  const page = Buffer.from(`{"items":[{"data":{"release":"${'x'.repeat(2_000)}`);
  assert.throws(() => parseListPage(page, 'listing', 'release'), {
    message: 'listing: the list is not JSON',
  });
});
