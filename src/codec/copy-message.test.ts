import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCopier } from './copy-message.ts';
import { decodeMessage, encodeMessage } from './schema.ts';
import { WireWriter } from './wire-writer.ts';

const swiftInstall = 'appscode.swift.v2.InstallReleaseRequest';
const tillerInstall = 'hapi.services.tiller.InstallReleaseRequest';

test('fields are copied by name, whatever their numbers and spelling; what the target has not is dropped', () => {
  const copy = createCopier(swiftInstall, tillerInstall, { omit: ['namespace'] });
  const given = {
    name: 'a',
    description: 'why',
    sub_notes: true,
    disable_crd_hook: true,
    chart: { templates: [{ name: 't' }] },
  };
  const wire = encodeMessage(swiftInstall, {
    ...given,
    namespace: 'n',
    chart_url: 'http://x',
    username: 'u',
    token: 'secret',
  });
  const out = new WireWriter();
  copy(wire, 0, wire.length, out);
  const copied = out.finish();
  assert.ok(!copied.includes('secret') && !copied.includes('http'));
  const message = decodeMessage(tillerInstall, copied);
  assert.deepEqual(
    [message.name, message.description, message.subNotes, message.disable_crd_hook, message.namespace],
    ['a', 'why', true, true, ''],
  );
  assert.equal(message.chart?.templates[0]?.name, 't');
});

test('a field whose type differs has to be spoken of, and so has a name that does not exist', () => {
  const list = [
    'appscode.swift.v2.SummarizeReleasesRequest',
    'hapi.services.tiller.ListReleasesRequest',
  ] as const;
  assert.throws(() => createCopier(...list), /status_codes has another type/);
  createCopier(...list, { omit: ['status_codes'] });
  assert.throws(
    () => createCopier(swiftInstall, tillerInstall, { rename: { name: 'nothing' } }),
    /has no nothing/,
  );
});
