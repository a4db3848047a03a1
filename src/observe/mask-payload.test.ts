import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { maskPayload } from './mask-payload.ts';

describe('maskPayload', () => {
  test('shows an install without anything secret', () => {
    const payload = {
      name: 'web',
      chart_url: 'https://reader:hunter2@charts.example.com/web.tgz',
      username: 'reader',
      password: 'hunter2',
      token: 'hunter2',
      ca_bundle: 'hunter2',
      client_certificate: 'hunter2',
      client_key: 'hunter2',
      values: { raw: 'db: {password: hunter2}' },
      values_json: { raw: 'x', db: { login: 'hunter2' } },
      set: ['db.password=hunter2'],
      set_string: ['db.password=hunter2'],
      chart_archive: 'hunter2',
      dry_run: true,
    };
    assert.deepEqual(maskPayload(payload), {
      name: 'web',
      chart_url: 'https://***@charts.example.com/web.tgz',
      username: 'reader',
      password: '***',
      token: '***',
      ca_bundle: '***',
      client_certificate: '***',
      client_key: '***',
      values: '*** (23 characters)',
      values_json: '***',
      set: '***',
      set_string: '***',
      chart_archive: '***',
      dry_run: true,
    });
  });

  test('shows a release without its manifest, notes and file contents', () => {
    const release = {
      name: 'web',
      manifest: 'kind: Secret hunter2',
      info: { status: { code: 'DEPLOYED', notes: 'hunter2', resources: 'hunter2' } },
      config: { raw: 'hunter2' },
      chart: {
        templates: [{ name: 'a.yaml', data: 'hunter2' }],
        files: [{ type_url: 'f', value: 'hunter2' }],
      },
    };
    const shown = JSON.stringify(maskPayload({ release }));
    assert.doesNotMatch(shown, /hunter2/);
    assert.match(shown, /"code":"DEPLOYED".*"name":"a\.yaml".*"type_url":"f"/);
  });

  test('shortens texts and lists, and stops at a bound', () => {
    assert.equal(maskPayload('x'.repeat(500)), `${'x'.repeat(200)}… (500 characters)`);
    assert.equal((maskPayload(Array(30).fill(1)) as unknown[]).at(-1), '… 10 more');
    const wide = Array(20).fill(Array(20).fill(Array(20).fill({ a: 'b' })));
    assert.ok(JSON.stringify(maskPayload(wide)).length < 20_000);
  });

  test('takes any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => typeof JSON.stringify({ value: maskPayload(value) }) === 'string'),
      { numRuns: 200 },
    );
  });
});
