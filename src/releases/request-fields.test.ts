import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage, encodeMessage, WireWriter } from '../codec/index.ts';
import { replaceField } from './replace-field.ts';
import { RequestFields } from './request-fields.ts';

test('of a scalar that comes twice the last counts; of a message the parts join; the rest is as it came', () => {
  const text = (value: string) => new WireWriter().stringField(1, value).finish();
  const wire = new WireWriter().intField(1, 5).intField(1, -7).stringField(2, 'a').stringField(2, 'b');
  const fields = new RequestFields(wire.bytesField(3, text('x')).bytesField(3, text('y')).finish());
  assert.equal(fields.integer(1), -7n);
  assert.equal(fields.string(2), 'b');
  assert.deepEqual(fields.strings(2), ['a', 'b']);
  assert.deepEqual(fields.message(3), Buffer.concat([text('x'), text('y')]));
  const others = new RequestFields(Buffer.concat(fields.rawExcept(1)));
  assert.equal(others.has(1), false);
  assert.deepEqual(others.strings(2), ['a', 'b']);
  assert.deepEqual(
    [fields.has(4), fields.integer(4), fields.string(4), fields.message(4)],
    [false, 0n, '', undefined],
  );
});

test('a field of another wire type than it should have counts as absent', () => {
  const fields = new RequestFields(new WireWriter().stringField(1, 'x').finish());
  assert.equal(fields.integer(1), 0n);
});

test("bytes that are no message are the caller's fault", () => {
  for (const bytes of [[0x0a, 9, 1], [0x08], [0x07], [0x00, 1]])
    assert.throws(() => new RequestFields(Buffer.from(bytes)), { code: 3 });
});

test('a nested field is replaced, everything around it stays', () => {
  const type = 'hapi.services.tiller.GetReleaseContentResponse';
  const given = { release: { name: 'a', config: { raw: 'x' }, manifest: 'm', version: 3 } };
  const replaced = replaceField(encodeMessage(type, given), [1, 4], () =>
    new WireWriter().stringField(1, 'y').finish(),
  );
  const { release } = decodeMessage(type, Buffer.from(replaced));
  assert.deepEqual(
    [release?.name, release?.config?.raw, release?.manifest, release?.version],
    ['a', 'y', 'm', 3],
  );
});
