import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage, encodeMessage, limits, WireWriter } from '../codec/index.ts';
import { RequestFields, SwiftRequest } from './request-fields.ts';

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

test('without a timeout Tiller is given 300 s, by every method that has one', () => {
  for (const method of [
    'InstallRelease',
    'UpdateRelease',
    'RollbackRelease',
    'UninstallRelease',
    'TestRelease',
  ] as const) {
    const tiller = `hapi.services.tiller.${method}Request` as const;
    const given =
      method === 'InstallRelease' || method === 'UpdateRelease'
        ? { chart: Buffer.alloc(0), values: Buffer.alloc(0) }
        : {};
    const sent = (timeout: number) => {
      const wire = encodeMessage(`appscode.swift.v2.${method}Request`, { timeout });
      const request = new SwiftRequest(method, wire).toTiller(method, given);
      return (decodeMessage(tiller, request) as { timeout: number }).timeout;
    };
    assert.deepEqual([sent(0), sent(7), sent(300)], [300, 7, 300], method);
  }
});
