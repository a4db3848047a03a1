import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestTiller } from '../../test/support/gateway.ts';
import { type StubTiller, startStubTiller } from '../../test/support/stub-tiller.ts';
import { createTestCharts } from '../../test/support/test-charts.ts';
import type { TillerClient } from '../backends/index.ts';
import type { MessageTypes } from '../codec/messages.gen.ts';
import { decodeMessage, encodeMessage, type Partially } from '../codec/schema.ts';
import { createReleaseService, type ReleaseService } from './release-service.ts';

const context = { signal: new AbortController().signal, deadline: undefined };
const chart = { metadata: { name: 'web' }, templates: [{ name: 't', data: Buffer.from('x') }] };

let stub: StubTiller;
let tiller: TillerClient;
let service: ReleaseService;

before(async () => {
  stub = await startStubTiller({ replies: { '*': { responses: [Buffer.alloc(0)] } } });
  tiller = createTestTiller(stub.address);
  service = createReleaseService(createTestCharts());
});
after(async () => {
  tiller.destroy();
  await stub.stop();
});

/** Calls a method of swift's contract. */
async function call<Name extends keyof MessageTypes>(
  method: string,
  type: Name,
  request: Partially<MessageTypes[Name]>,
): Promise<Uint8Array> {
  const implemented = service.methods.find(({ contract }) => contract.name === method);
  assert.ok(implemented?.kind === 'unary');
  return implemented.call({ kind: 'tiller', tiller }, encodeMessage(type, request), context);
}

/** What Tiller was asked last. */
function asked<Name extends keyof MessageTypes>(method: string, type: Name): MessageTypes[Name] {
  return decodeMessage(type, stub.callsOf(method).at(-1)?.request ?? Buffer.alloc(0));
}

describe('install and update', () => {
  test('every field of an install finds its place in Tiller’s request', async () => {
    const same = {
      dry_run: true,
      name: 'a',
      disable_hooks: true,
      reuse_name: true,
      timeout: 300,
      wait: true,
    };
    const more = { description: 'why', disable_crd_hook: true, namespace: 'n' };
    const values = { raw: 'a: b' };
    await call('InstallRelease', 'appscode.swift.v2.InstallReleaseRequest', {
      chart,
      values,
      ...same,
      ...more,
      sub_notes: true,
    });
    const sent = asked('InstallRelease', 'hapi.services.tiller.InstallReleaseRequest');
    for (const [name, value] of Object.entries({ ...same, ...more }))
      assert.deepEqual(sent[name as keyof typeof sent], value, name);
    assert.deepEqual([sent.chart?.metadata?.name, sent.values?.raw, sent.subNotes], ['web', 'a: b', true]);
  });

  test('an install without namespace and values gets the default and empty ones', async () => {
    await call('InstallRelease', 'appscode.swift.v2.InstallReleaseRequest', { chart });
    const sent = asked('InstallRelease', 'hapi.services.tiller.InstallReleaseRequest');
    assert.equal(sent.namespace, 'default');
    assert.equal(sent.values?.raw, '');
  });

  test('every field of an update finds its place', async () => {
    const same = { name: 'a', dry_run: true, disable_hooks: true, recreate: true, timeout: 9 };
    const more = { reset_values: true, wait: true, reuse_values: true, force: true };
    const moved = { description: 'why', cleanup_on_fail: true };
    const request = { chart, ...same, ...more, ...moved, sub_notes: true };
    await call('UpdateRelease', 'appscode.swift.v2.UpdateReleaseRequest', request);
    const sent = asked('UpdateRelease', 'hapi.services.tiller.UpdateReleaseRequest');
    for (const [name, value] of Object.entries({ ...same, ...more, ...moved }))
      assert.deepEqual(sent[name as keyof typeof sent], value, name);
    assert.equal(sent.subNotes, true);
  });

  test('what Tiller would panic on is refused before it is asked', async () => {
    const before = stub.callsOf('InstallRelease').length;
    const nested = { ...chart, dependencies: [{ ...chart, dependencies: [{}] }] };
    await assert.rejects(
      call('InstallRelease', 'appscode.swift.v2.InstallReleaseRequest', { chart: nested }),
      { code: 3, message: 'chart.dependencies[0].dependencies[0].metadata: is missing' },
    );
    assert.equal(stub.callsOf('InstallRelease').length, before);
  });
});

describe('history and list', () => {
  test('history asks for 256 unless told otherwise, and never for less than none', async () => {
    const history = (max: number) =>
      call('GetHistory', 'appscode.swift.v2.GetHistoryRequest', { name: 'a', max });
    await history(0);
    assert.equal(asked('GetHistory', 'hapi.services.tiller.GetHistoryRequest').max, 256);
    await history(3);
    assert.equal(asked('GetHistory', 'hapi.services.tiller.GetHistoryRequest').max, 3);
    await assert.rejects(history(-1), { code: 3, message: 'max: -1 is negative' });
  });

  test('a list over several chunks is one answer, with its paging, and without the bodies of charts', async () => {
    const release = (name: string) => ({ name, chart, manifest: 'm', version: 2, namespace: 'n' });
    const chunk = (names: string[]) =>
      encodeMessage('hapi.services.tiller.ListReleasesResponse', {
        count: 3,
        total: 9,
        next: 'd',
        releases: names.map(release),
      });
    stub.answer('ListReleases', { responses: [chunk(['a', 'b']), chunk([]), chunk(['c'])] });
    const reply = await call('SummarizeReleases', 'appscode.swift.v2.SummarizeReleasesRequest', {
      all: true,
    });
    const page = decodeMessage('appscode.swift.v2.SummarizeReleasesResponse', Buffer.from(reply));
    assert.deepEqual([page.count, page.total, page.next], [3, 9, 'd']);
    assert.deepEqual(
      page.releases.map(({ name, version, namespace }) => `${name} ${version} ${namespace}`),
      ['a 2 n', 'b 2 n', 'c 2 n'],
    );
    assert.equal(page.releases[0]?.chart_metadata?.name, 'web');
    assert.ok(!Buffer.from(reply).includes('manifest') && reply.length < 150);
    const { status_codes } = asked('ListReleases', 'hapi.services.tiller.ListReleasesRequest');
    assert.ok(status_codes.length >= 8);
  });

  test('nothing is lost of a chunk of very many releases, which is read in slices', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `release-${index}`);
    const releases = names.map(name => ({ name, version: 1, manifest: 'm'.repeat(100) }));
    const large = { name: 'large', version: 1, manifest: 'm'.repeat(700_000) };
    const chunk = encodeMessage('hapi.services.tiller.ListReleasesResponse', {
      count: 20_001,
      releases: [large, ...releases],
    });
    stub.answer('ListReleases', { responses: [chunk] });
    const reply = await call('SummarizeReleases', 'appscode.swift.v2.SummarizeReleasesRequest', {});
    const page = decodeMessage('appscode.swift.v2.SummarizeReleasesResponse', Buffer.from(reply));
    assert.equal(page.count, 20_001);
    assert.deepEqual(
      page.releases.map(({ name }) => name),
      ['large', ...names],
    );
  });
});
