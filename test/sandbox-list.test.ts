/** Listing in the sandbox Tiller: order, filters, pages, and chunks below Tiller's bound on messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxMessageBytes, selectReleases, writeReleases } from '../src/backends/index.ts';
import type { ListReleasesRequest } from '../src/codec/messages.gen.ts';
import { decodeMessage, type Partially } from '../src/codec/schema.ts';
import { RevisionStore } from '../src/sandbox/state/revision-store.ts';
import { SandboxClient } from './support/sandbox-client.ts';
import { chartOf, configMap, message, releaseOf } from './support/tiller-messages.ts';

const bounded = { timeout: 30_000 };

/** Installs releases of these names, a second apart, the first being the oldest. */
async function withReleases(names: readonly string[]): Promise<SandboxClient> {
  let now = 1_700_000_000_000;
  const tiller = await SandboxClient.start({ now: () => new Date(now) });
  for (const name of names) {
    now += 1_000;
    await tiller.call('InstallRelease', {
      name,
      namespace: `ns-${name.length}`,
      chart: chartOf(`chart-${[...name].reverse().join('')}`, { 'cm.yaml': configMap(`${name}-cm`) }),
      values: {},
    });
  }
  return tiller;
}

async function list(tiller: SandboxClient, request: Partially<ListReleasesRequest>): Promise<string> {
  const [response] = await tiller.all('ListReleases', request);
  if (!response) return 'no message';
  const { releases, count, total, next } = response;
  return `${releases.map(release => release.name).join(' ')} (${count} of ${total}${next && `, next ${next}`})`;
}

test('orders', bounded, async () => {
  await using tiller = await withReleases(['cab', 'abc', 'bca']);
  const order = async (request: Partially<ListReleasesRequest>) => (await list(tiller, request)).slice(0, 11);
  assert.equal(await order({}), 'abc bca cab');
  assert.equal(await order({ sort_order: 'DESC' }), 'cab bca abc');
  assert.equal(await order({ sort_by: 'NAME' }), 'abc bca cab');
  assert.equal(await order({ sort_by: 'LAST_RELEASED' }), 'cab abc bca');
  assert.equal(await order({ sort_by: 'LAST_RELEASED', sort_order: 'DESC' }), 'bca abc cab');
  assert.equal(await order({ sort_by: 'CHART_NAME' }), 'bca cab abc');
});

test('pages', bounded, async () => {
  await using tiller = await withReleases(['a', 'b', 'c', 'd', 'e']);
  assert.equal(await list(tiller, {}), 'a b c d e (5 of 5)');
  assert.equal(await list(tiller, { limit: 2 }), 'a b (2 of 5, next c)');
  assert.equal(await list(tiller, { limit: 2, offset: 'c' }), 'c d (2 of 5, next e)');
  assert.equal(await list(tiller, { limit: 2, offset: 'e' }), 'e (1 of 5)');
  assert.equal(await list(tiller, { limit: 2, offset: 'd', sort_order: 'DESC' }), 'd c (2 of 5, next b)');
  assert.equal(await list(tiller, { limit: 5 }), 'a b c d e (5 of 5)');
  assert.equal(await tiller.failure('ListReleases', { offset: 'zzz' }), '2 offset "zzz" not found');
});

test('an offset that names several revisions starts at the last of them', bounded, async () => {
  await using tiller = await withReleases(['a', 'b', 'c']);
  for (const version of ['2', '3']) {
    const chart = chartOf('changed', { 'cm.yaml': configMap(`b-cm-${version}`) });
    await tiller.call('UpdateRelease', { name: 'b', chart, values: {} });
  }
  const request: Partially<ListReleasesRequest> = {
    status_codes: ['DEPLOYED', 'SUPERSEDED'],
    sort_by: 'NAME',
  };
  assert.equal(await list(tiller, request), 'a b b b c (5 of 5)');
  assert.equal(await list(tiller, { ...request, limit: 2 }), 'a b (2 of 5, next b)');
  assert.equal(await list(tiller, { ...request, limit: 2, offset: 'b' }), 'b c (2 of 5)');
  assert.equal(await list(tiller, { ...request, offset: 'c' }), 'c (1 of 5)');
  assert.equal(await list(tiller, { ...request, sort_order: 'DESC', offset: 'b', limit: 2 }), 'b a (2 of 5)');
});

test('filters are RE2 expressions, not JavaScript’s', bounded, async () => {
  await using tiller = await withReleases(['web-1', 'web-2', 'db']);
  assert.equal(await list(tiller, { filter: 'web' }), 'web-1 web-2 (2 of 2)');
  assert.equal(await list(tiller, { filter: '^(?i)WEB-\\d\\z' }), 'web-1 web-2 (2 of 2)');
  assert.equal(await list(tiller, { filter: '1$', namespace: 'ns-5' }), 'web-1 (1 of 1)');
  assert.equal(await list(tiller, { namespace: 'ns-2' }), 'db (1 of 1)');
  assert.equal(await list(tiller, { filter: 'nothing' }), 'no message');
  assert.equal(await list(tiller, { status_codes: ['DELETED', 'FAILED'] }), 'no message');
  assert.match(await tiller.failure('ListReleases', { filter: '(?=x)' }), /^2 error parsing regexp: invalid/);
  assert.match(
    await tiller.failure('ListReleases', { filter: '(' }),
    /^2 error parsing regexp: missing closing \)/,
  );
  assert.match(
    await tiller.failure('ListReleases', { filter: 'x'.repeat(2_000) }),
    /^2 error parsing regexp/,
  );
});

test('an expression that backtracks without end in other engines is quick', bounded, async () => {
  await using tiller = await withReleases(['a'.repeat(50)]);
  assert.equal(await list(tiller, { filter: '^(a+)+$' }), `${'a'.repeat(50)} (1 of 1)`);
  assert.equal(await list(tiller, { filter: '^(a|a)*b$' }), 'no message');
});

test('a negative limit ends all connections and is counted, and the sandbox goes on', bounded, async () => {
  await using tiller = await withReleases(['a']);
  assert.match(await tiller.failure('ListReleases', { limit: -1 }), /^14 /);
  assert.equal(tiller.sandbox.crashes, 1);
  assert.equal(await list(tiller, {}), 'a (1 of 1)');
});

test('a list is cut into messages below 20 MiB, each with the counts', bounded, async () => {
  const store = await RevisionStore.open({
    bounds: { maxRevisions: 100, maxBytes: 2 ** 30 },
    now: () => new Date(),
    report: problem => assert.fail(problem),
  });
  const manifest = 'x'.repeat(1024 * 1024);
  for (let index = 0; index < 45; index++) await store.create(releaseOf(`r${index}`, 1, { manifest }));
  const request = message('hapi.services.tiller.ListReleasesRequest', { limit: 43 });
  const chunks: Buffer[] = [];
  for await (const chunk of writeReleases(selectReleases(store.all(), request), ({ wire }) => wire))
    chunks.push(chunk);
  const sizes = chunks.map(chunk => chunk.length);
  assert.deepEqual(
    sizes.map(size => size <= maxMessageBytes),
    [true, true, true],
  );
  const decoded = chunks.map(chunk => decodeMessage('hapi.services.tiller.ListReleasesResponse', chunk));
  assert.deepEqual(
    decoded.map(({ releases }) => releases.length),
    [19, 19, 5],
  );
  for (const { count, total, next } of decoded) assert.deepEqual([count, total, next], [43, 45, 'r8']);
});
