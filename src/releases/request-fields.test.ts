import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage, encodeMessage, limits, WireWriter } from '../codec/index.ts';
import { RequestFields } from './request-fields.ts';
import { replaceField } from './swift-json.ts';

test('of a scalar that comes twice the last counts; of a message the parts join; unknown fields do not count', () => {
  const type = 'appscode.swift.v2.SummarizeReleasesRequest';
  const wire = new WireWriter().intField(1, 5).intField(1, -7).stringField(2, 'a').stringField(2, 'b');
  const fields = new RequestFields(
    type,
    wire.stringField(6, 'X').stringField(6, 'Y').stringField(99, 'z').finish(),
  );
  assert.equal(fields.integer('limit'), -7n);
  assert.equal(fields.string('offset'), 'b');
  assert.deepEqual(fields.strings('status_codes'), ['X', 'Y']);
  assert.deepEqual(
    [fields.has('filter'), fields.string('filter'), fields.boolean('all')],
    [false, '', false],
  );
  const text = (value: string) => new WireWriter().stringField(1, value).finish();
  const install = new WireWriter()
    .bytesField(2, text('x'))
    .bytesField(2, text('y'))
    .bytesField(21, Buffer.alloc(0));
  const other = new RequestFields('appscode.swift.v2.InstallReleaseRequest', install.finish());
  assert.deepEqual(other.message('values'), Buffer.concat([text('x'), text('y')]));
  assert.deepEqual([other.bytes('chart_archive'), other.has('chart_archive')], [undefined, true]);
});

test("bytes that are no message are the caller's fault, and so is a wrong wire type", () => {
  const type = 'appscode.swift.v2.SummarizeReleasesRequest';
  for (const bytes of [
    [0x0a, 9, 1],
    [0x08],
    [0x07],
    [0x00, 1],
    [0x0a, 1, 0x78],
    [0x88, 0x80, 0x80, 0x80, 0x10, 5],
  ])
    assert.throws(() => new RequestFields(type, Buffer.from(bytes)), { code: 3 });
});

test('the number of fields is bounded before anything is made of them', () => {
  const many = Buffer.alloc(2 * (limits.maxNodes + 1), Buffer.from([0x08, 1]));
  assert.throws(() => new RequestFields('appscode.swift.v2.SummarizeReleasesRequest', many), { code: 8 });
});

test('a nested field is replaced, everything around it stays', () => {
  const type = 'hapi.services.tiller.GetReleaseContentResponse';
  const given = { release: { name: 'a', config: { raw: 'x' }, manifest: 'm', version: 3 } };
  const replaced = replaceField(type, encodeMessage(type, given), ['release', 'config'], () =>
    new WireWriter().stringField(1, 'y').finish(),
  );
  const { release } = decodeMessage(type, Buffer.from(replaced));
  assert.deepEqual(
    [release?.name, release?.config?.raw, release?.manifest, release?.version],
    ['a', 'y', 'm', 3],
  );
});
