/** Release records by watches of an API server, with the faults of a real one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type RecordChange, Records, type RecordsOptions } from '../src/backends/index.ts';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { eventually } from './support/eventually.ts';
import { conformanceFolder } from './support/recording.ts';
import {
  RecordsApiServer,
  releaseRecord,
  type StoredObject,
  tillerPod,
} from './support/records-api-server.ts';
import { releaseOf } from './support/tiller-messages.ts';

const context = { signal: new AbortController().signal, deadline: undefined };

const quick = {
  watchMs: 1_000,
  silenceMs: 30_000,
  minPauseMs: 10,
  maxPauseMs: 50,
  setupMs: 10_000,
  retryMs: 20,
};

function open(server: RecordsApiServer, options: Partial<RecordsOptions> = {}) {
  const records = new Records({
    access: server.access,
    tillerNamespaces: async () => [undefined],
    storages: ['helm2'],
    helm3Namespaces: [],
    maxBytes: 64 * 1024 * 1024,
    waitMs: 2_000,
    rawErrors: false,
    only: false,
    log: () => {},
    times: quick,
    ...options,
  });
  return Object.assign(records, { [Symbol.dispose]: () => records.close() });
}

function record(name: string, version = 1, given = {}): StoredObject {
  return releaseRecord(encodeMessage('hapi.release.Release', releaseOf(name, version, given)), {
    name,
    version,
  });
}

async function serve(...objects: readonly StoredObject[]): Promise<RecordsApiServer> {
  const server = await RecordsApiServer.start();
  server.put('pods', tillerPod());
  for (const object of objects) server.put('configmaps', object);
  return server;
}

const listRequest = encodeMessage('hapi.services.tiller.ListReleasesRequest', {});

const usable = (records: Records) => eventually(() => records.report().usable);

async function names(records: Records): Promise<string> {
  const seen: string[] = [];
  for await (const chunk of records.stream('ListReleases', listRequest, context)) {
    const { releases } = decodeMessage('hapi.services.tiller.ListReleasesResponse', chunk);
    seen.push(...releases.map(({ name, version }) => `${name}.${version}`));
  }
  return seen.join(' ');
}

/** Asks again until the list is this. */
const listed = (records: Records, expected: string) =>
  eventually(async () => (await names(records).catch(String)) === expected);

async function content(records: Records, name: string, version = 0) {
  const request = encodeMessage('hapi.services.tiller.GetReleaseContentRequest', { name, version });
  const reply = await records.unary('GetReleaseContent', request, context);
  return decodeMessage('hapi.services.tiller.GetReleaseContentResponse', reply).release;
}

test('records are listed in pages, watched, and read whole on demand', async () => {
  await using server = await serve(...Array.from({ length: 25 }, (_, index) => record(`r${index + 10}`)));
  using records = open(server);
  const changes: string[] = [];
  records.subscribe(({ type, release, sequence }: RecordChange) => {
    changes.push(`${type} ${release.name} ${sequence}`);
  });
  assert.equal(records.answers('ListReleases', listRequest), false);
  assert.match(records.report().reason ?? '', /have not been listed yet/);
  await usable(records);
  assert.equal(records.report().held, 25);
  assert.equal(server.count('list'), 3); // the pods, and two pages
  assert.equal(server.count('review'), 3);
  assert.deepEqual(changes, []);
  server.put('configmaps', record('new'));
  server.put('configmaps', record('r10', 1, { info: { status: { code: 'FAILED' } } }));
  server.delete('configmaps', 'kube-system', 'r11.v1');
  await eventually(() => changes.length === 3);
  assert.deepEqual(changes, ['added new 26', 'modified r10 27', 'deleted r11 28']);
  assert.match(await names(records), /^new.1 r12.1 /);
  assert.equal((await content(records, 'r13'))?.manifest, releaseOf('r13').manifest);
  assert.equal((await content(records, 'new'))?.manifest, releaseOf('new').manifest);
  await content(records, 'r13');
  assert.equal(server.count('get'), 1); // what changed just now, and what was read before, is kept
  await assert.rejects(content(records, 'nope'), { code: 5, message: 'release: "nope" not found' });
  assert.ok(records.report().ageMs < 30_000);
  assert.equal(server.count('list'), 3);
});

test('lists without superseded revisions are answered before the others are listed', async () => {
  const info = { status: { code: 'SUPERSEDED' } } as const;
  const superseded = Array.from({ length: 600 }, (_, index) => {
    const wire = encodeMessage('hapi.release.Release', releaseOf('old', index + 1, { info }));
    return releaseRecord(wire, { name: 'old', version: index + 1, status: 'SUPERSEDED' });
  });
  await using server = await serve(...superseded, record('a'), record('b'));
  const { promise, resolve } = Promise.withResolvers<void>();
  let pages = 0;
  // the first two pages show that the list is long; after that, the rest is held back
  server.beforeList = selector => (selector === 'OWNER=TILLER' && ++pages > 2 ? promise : undefined);
  using records = open(server, { only: true });
  const request = (given: object) => encodeMessage('hapi.services.tiller.ListReleasesRequest', given);
  const failed = request({ status_codes: ['DEPLOYED', 'FAILED'] });
  const all = request({ status_codes: ['DEPLOYED', 'SUPERSEDED'] });
  await records.settle('ListReleases', listRequest, context.signal);
  assert.equal(await names(records), 'a.1 b.1');
  assert.equal(records.answers('ListReleases', failed), true);
  assert.equal(records.answers('ListReleases', all), false);
  assert.equal(records.answers('GetHistory', Buffer.alloc(0)), false);
  assert.match(
    records.report().reason ?? '',
    /^the configmaps of Helm 2 in namespace kube-system are being listed$/,
  );
  const settled = records.settle('ListReleases', all, context.signal);
  // what changes meanwhile is seen when all is there, as one state
  server.put('configmaps', record('c'));
  server.delete('configmaps', 'kube-system', 'a.v1');
  assert.equal(await names(records), 'a.1 b.1');
  resolve();
  await settled;
  assert.equal(records.answers('ListReleases', all), true);
  await listed(records, 'b.1 c.1');
  assert.equal(records.report().held, 602);
});

test('a read that waits for the first list learns at once why it does not come', async () => {
  await using server = await serve(record('a'));
  server.denied.add('list configmaps');
  using records = open(server, { only: true, times: { ...quick, retryMs: 60_000 } });
  await records.settle('ListReleases', listRequest, context.signal);
  assert.match(records.report().reason ?? '', /no right to list configmaps/);
});

test("Tiller's Pod says the namespace and the driver of its records", async () => {
  await using server = await RecordsApiServer.start();
  server.put('pods', tillerPod('tools', ['/tiller', '--storage=secret']));
  const { data, ...rest } = record('a');
  const inner = (data as { release: string }).release;
  const secret = { ...rest, data: { release: Buffer.from(inner).toString('base64') } };
  server.put('secrets', { ...secret, metadata: { ...rest.metadata, namespace: 'tools' } });
  server.denied.add('list configmaps');
  using records = open(server);
  await usable(records);
  assert.equal(await names(records), 'a.1');

  server.put('pods', tillerPod('tools', ['/tiller', '--storage=memory']));
  using none = open(server);
  await eventually(() => /Tiller keeps them otherwise \(--storage=memory\)/.test(none.report().reason ?? ''));
});

test('without the rights nothing is read, and that is said; it is asked again', async () => {
  await using server = await serve(record('a'));
  server.denied.add('watch configmaps');
  using records = open(server);
  await eventually(() =>
    /no right to watch configmaps in namespace kube-system/.test(records.report().reason ?? ''),
  );
  assert.equal(server.count('list') > 1, false);
  await assert.rejects(names(records), { code: 14, message: /no right to watch configmaps/ });
  server.denied.clear();
  await listed(records, 'a.1');
});

test('rights that are taken away while running end the answers; given back, they begin again', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  await usable(records);
  for (const verb of ['list', 'watch', 'get']) server.denied.add(`${verb} configmaps`);
  server.cutWatches();
  await eventually(() => !records.report().usable);
  await eventually(() => /forbids it|no right to/.test(records.report().reason ?? ''));
  assert.equal(records.report().held, 0);
  server.put('configmaps', record('b'));
  server.denied.clear();
  await listed(records, 'a.1 b.1');
});

test('a watch that is cut goes on where it was, without a list', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  await usable(records);
  const lists = server.count('list');
  for (let count = 0; count < 5; count++) {
    const watches = server.count('watch');
    server.cutWatches();
    server.put('configmaps', record(`b${count}`));
    await eventually(() => server.count('watch') > watches && server.watchers === 1);
  }
  await listed(records, 'a.1 b0.1 b1.1 b2.1 b3.1 b4.1');
  assert.equal(server.count('list'), lists);
});

test('a watch that the API server ends is begun again at once', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  await usable(records);
  await eventually(() => server.count('watch') === 3);
  server.put('configmaps', record('b'));
  await listed(records, 'a.1 b.1');
  assert.equal(server.count('list'), 2);
});

test('a forgotten version costs a new list, of which only differences are changes', async () => {
  await using server = await serve(record('a'), record('b'));
  using records = open(server);
  const changes: string[] = [];
  records.subscribe(({ type, release }) => changes.push(`${type} ${release.name}`));
  await usable(records);
  await eventually(() => server.watchers === 1);
  server.silent = true;
  server.delete('configmaps', 'kube-system', 'a.v1');
  server.put('configmaps', record('c'));
  server.silent = false;
  server.expire();
  await listed(records, 'b.1 c.1');
  assert.deepEqual(changes.sort(), ['added c', 'deleted a']);
  assert.equal(records.report().usable, true);
});

test('while the API server is away the last state is answered, up to an age', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  using strict = open(server, { maxAgeMs: 300 });
  await usable(records);
  await usable(strict);
  await server.down();
  await eventually(() => !strict.report().usable);
  assert.match(
    strict.report().reason ?? '',
    /^the release records are \d+ s old: watching the configmaps.*refused/,
  );
  assert.equal(records.report().usable, true);
  await eventually(() => records.report().ageMs >= 300); // the two heard the server last at different moments
  assert.equal(await names(records), 'a.1');
  await server.up();
  server.put('configmaps', record('b'));
  await listed(records, 'a.1 b.1');
  await listed(strict, 'a.1 b.1');
});

test('a watch on which nothing comes is taken for dead', async () => {
  await using server = await serve(record('a'));
  using records = open(server, { times: { ...quick, silenceMs: 200 } });
  await usable(records);
  await eventually(() => server.watchers === 1);
  server.silent = true;
  server.put('configmaps', record('b'));
  await listed(records, 'a.1 b.1'); // by the next watch, which is told what it missed
});

test('a token that is rotated is taken up', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  await usable(records);
  server.givenToken = 'first';
  server.token = 'second';
  server.cutWatches();
  server.put('configmaps', record('b'));
  await listed(records, 'a.1 b.1');
  assert.equal(records.report().usable, true);
});

test('the log names the first records that cannot be read, each once', async () => {
  const garbage = (index: number, text = '!') => ({ ...record(`bad${index}`), data: { release: text } });
  await using server = await serve(record('a'), garbage(1), garbage(2));
  const lines: string[] = [];
  const log: RecordsOptions['log'] = (level, message, fields) =>
    lines.push(`${level} ${message}: ${fields?.record} ${fields?.reason}`);
  using records = open(server, { log });
  await usable(records);
  for (let index = 3; index <= 40; index++) server.put('configmaps', garbage(index));
  server.put('configmaps', garbage(1));
  server.put('configmaps', record('b'));
  await listed(records, 'a.1 b.1');
  assert.equal(records.report().unreadable, 40);
  const named = lines.filter(line => line.startsWith('warn a release record cannot be read: '));
  assert.equal(named.length, 20);
  assert.match(
    named[0]!,
    /^warn a release record cannot be read: helm2\/configmaps\/kube-system\/bad1\.v1 \S/,
  );
});

test('a record that is garbage costs itself, is counted and named, and may be mended', async () => {
  const good = record('good');
  const broken = (name: string, release: unknown) => ({
    ...good,
    metadata: { ...good.metadata, name },
    data: { release },
  });
  await using server = await serve(
    good,
    broken('bomb.v1', gzipSync(Buffer.alloc(40 * 1024 * 1024)).toString('base64')),
    broken('cut.v1', (good.data as { release: string }).release.slice(0, 80)),
    broken('junk.v1', Buffer.from('junk').toString('base64')),
    broken('none.v1', undefined),
    broken('number.v1', 7),
    broken('other.v1', (good.data as { release: string }).release),
  );
  using records = open(server);
  await usable(records);
  assert.equal(await names(records), 'good.1');
  const { unreadable, faults } = records.report();
  assert.equal(unreadable, 6);
  assert.deepEqual([...faults].sort(), [
    'helm2/configmaps/kube-system/bomb.v1: data.release unpacks to more than 32 MiB',
    'helm2/configmaps/kube-system/cut.v1: data.release is no whole gzip stream',
    'helm2/configmaps/kube-system/junk.v1: malformed protobuf message: a length reaches past the end',
    'helm2/configmaps/kube-system/none.v1: data.release is missing',
    'helm2/configmaps/kube-system/number.v1: data.release is missing',
    'helm2/configmaps/kube-system/other.v1: it holds good.v1',
  ]);
  server.put('configmaps', record('junk'));
  server.delete('configmaps', 'kube-system', 'bomb.v1');
  await listed(records, 'good.1 junk.1');
  await eventually(() => records.report().unreadable === 4);
});

test('a page that is too large is asked for again with fewer records', async () => {
  const large = Array.from({ length: 18 }, (_, index) => {
    const object = record(`z${index + 10}`);
    return { ...object, more: 'x'.repeat(1024 * 1024) };
  });
  await using server = await serve(
    ...Array.from({ length: 10 }, (_, index) => record(`a${index}`)),
    ...large,
  );
  using records = open(server);
  await eventually(() => records.report().usable, { timeoutMs: 45_000 });
  assert.equal(records.report().held, 28);
});

test('2,000 changes at once arrive in order, and the process stays awake', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  await usable(records);
  await eventually(() => server.watchers === 1);
  let changes = 0;
  let isOrdered = true;
  let last = records.report().held;
  records.subscribe(({ sequence }) => {
    isOrdered &&= sequence === last + 1;
    last = sequence;
    changes++;
  });
  for (let index = 0; index < 1_000; index++) server.put('configmaps', record(`r${index}`));
  for (let index = 0; index < 1_000; index++)
    server.put('configmaps', record(`r${index}`, 1, { manifest: 'x' }));
  await eventually(() => changes === 2_000, { timeoutMs: 30_000 });
  assert.equal(isOrdered, true);
  assert.equal(records.report().held, 1_001);
  assert.equal((await content(records, 'r999'))?.manifest, 'x');
});

test('more than the bound is refused with the flag that sets it', async () => {
  await using server = await serve(...Array.from({ length: 30 }, (_, index) => record(`r${index}`)));
  using records = open(server, { maxBytes: 10_000 });
  await eventually(() => /more than --records-cache-bytes \(10000\)/.test(records.report().reason ?? ''));
  assert.equal(records.answers('ListReleases', listRequest), false);
});

test('whole records that are read have the room that summaries leave, and no more', async () => {
  const large = (char: string) => char.repeat(200_000);
  const objects = ['a', 'b', 'c', 'd', 'e'].map(name => record(name, 1, { manifest: large(name) }));
  await using server = await serve(...objects);
  const maxBytes = 500_000;
  using records = open(server, { maxBytes });
  await usable(records);
  const summaries = records.report().bytes;
  server.put('configmaps', record('values', 1, { config: { raw: large('v') } }));
  await eventually(() => records.report().held === 6);
  for (const name of ['a', 'b', 'c', 'd', 'e', 'a'])
    assert.equal((await content(records, name))?.manifest, large(name));
  const { bytes } = records.report();
  assert.ok(bytes <= maxBytes && bytes > summaries + 400_000, `${bytes}`);
});

test('unreadable records count as well, so that no number of them takes the memory', async () => {
  const broken = Array.from({ length: 50 }, (_, index) => ({
    ...record(`r${index}`),
    data: { release: '!' },
  }));
  await using server = await serve(...broken);
  using records = open(server, { maxBytes: 10_000 });
  await eventually(() =>
    /^the summaries of 0 records and the notes about \d+ unreadable ones take more/.test(
      records.report().reason ?? '',
    ),
  );
});

test('a clock that jumps changes nothing', async () => {
  await using server = await serve(record('a'));
  using records = open(server);
  await usable(records);
  const { now } = Date;
  try {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      Date.now = () => now() + jumpMs;
      assert.equal(records.report().usable, true);
      assert.ok(records.report().ageMs < 30_000);
    }
  } finally {
    Date.now = now;
  }
});

test('the history of a release with many revisions is read by a list', async () => {
  await using server = await serve(...Array.from({ length: 12 }, (_, index) => record('a', index + 1)));
  using records = open(server);
  await usable(records);
  const request = encodeMessage('hapi.services.tiller.GetHistoryRequest', { name: 'a', max: 256 });
  const reply = await records.unary('GetHistory', request, context);
  const { releases } = decodeMessage('hapi.services.tiller.GetHistoryResponse', reply);
  assert.deepEqual(
    releases.map(({ version, manifest }) => [version, manifest]),
    Array.from({ length: 12 }, (_, index) => [12 - index, releaseOf('a').manifest]),
  );
  assert.equal(server.count('get'), 0);
});

test('what another storage driver has left of a release is not mixed with it', async () => {
  const versions = [1, 2, 3, 4, 5, 6];
  await using server = await serve();
  const put = (resource: 'configmaps' | 'secrets', count: number, seconds: number) => {
    for (const version of versions.slice(0, count)) {
      const info = { status: { code: 'DEPLOYED' as const }, last_deployed: { seconds, nanos: 0 } };
      const stored = record('a', version, { info, manifest: resource });
      const { release } = stored.data as { release: string };
      const data = { release: resource === 'secrets' ? Buffer.from(release).toString('base64') : release };
      server.put(resource, { ...stored, data });
    }
  };
  put('configmaps', 6, 1_000);
  put('secrets', 5, 2_000);
  server.delete('pods', 'kube-system', 'tiller-deploy-1'); // so that nobody says which driver it uses
  using records = open(server, { tillerNamespaces: async () => ['kube-system'] });
  await eventually(() => records.report().held === 11);
  const request = encodeMessage('hapi.services.tiller.GetHistoryRequest', { name: 'a', max: 256 });
  const history = async () => {
    const reply = await records.unary('GetHistory', request, context);
    const { releases } = decodeMessage('hapi.services.tiller.GetHistoryResponse', reply);
    return releases.map(({ version, manifest }) => `${manifest} ${version}`).join();
  };
  assert.equal(await history(), 'secrets 5,secrets 4,secrets 3,secrets 2,secrets 1');
  assert.equal((await content(records, 'a'))?.manifest, 'secrets');
  put('configmaps', 1, 3_000);
  await eventually(async () => /^configmaps 6,.*,configmaps 1$/.test(await history()));
});

test("Helm 3's records are read beside Helm 2's, by namespace", async () => {
  await using server = await serve(record('alpha', 1, { namespace: 'store' }), record('only2'));
  for (const file of ['storage-secrets-3.17.json', 'storage-secrets-4.1.json', 'storage-configmap.json']) {
    const { items } = JSON.parse(readFileSync(join(conformanceFolder, 'helm3', file), 'utf8'));
    for (const item of items) server.put(/configmap/.test(file) ? 'configmaps' : 'secrets', item);
  }
  using records = open(server, { storages: ['helm2', 'helm3'] });
  await usable(records);
  assert.equal(records.report().held, 23);
  const request = encodeMessage('hapi.services.tiller.GetReleaseContentRequest', { name: 'alpha' });
  await assert.rejects(records.unary('GetReleaseContent', request, context), {
    code: 6,
    reason: 'RELEASE_AMBIGUOUS',
    message:
      'release "alpha" is in several namespaces: store (Helm 2), team-a (Helm 3), team-b (Helm 3); choose one with namespace',
  });
  const reply = await records.unary('GetReleaseContent', request, context, { namespace: 'team-a' });
  const { release, storage } = decodeMessage('appscode.swift.v2.GetReleaseContentResponse', reply);
  assert.equal(release?.version, 5);
  assert.equal(storage, 'HELM_3');
  await assert.rejects(records.unary('GetReleaseContent', request, context, { namespace: 'nowhere' }), {
    code: 5,
  });
  assert.equal((await content(records, 'only2'))?.version, 1);
  assert.equal((await content(records, 'conf'))?.namespace, 'team-a');

  // pages go on where they were, although names repeat
  const seen: string[] = [];
  let offset = '';
  do {
    const page = encodeMessage('hapi.services.tiller.ListReleasesRequest', { limit: 3, offset });
    for await (const chunk of records.stream('ListReleases', page, context)) {
      const { releases, next } = decodeMessage('hapi.services.tiller.ListReleasesResponse', chunk);
      seen.push(...releases.map(({ namespace, name }) => `${namespace}/${name}`));
      offset = next;
    }
  } while (offset !== '');
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, 13);

  using some = open(server, { storages: ['helm3'], helm3Namespaces: ['team-b'] });
  await usable(some);
  assert.equal(some.report().held, 10);
});
