/** Two gateways of one cluster: each reads what it wrote itself, and what a client brings from the other. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { EventStream } from './support/event-stream.ts';
import { eventually } from './support/eventually.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startGatewayWith, type WholeGateway } from './support/whole-gateway.ts';

const chart = {
  metadata: { name: 'one', version: '1.0.0' },
  templates: [
    {
      name: 'templates/map.yaml',
      data: Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\n'),
    },
  ],
};
const releases = '/tiller/v2/releases';

let first: WholeGateway;
let second: WholeGateway;
const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => Promise<void>) => void cleanups.push(cleanup) };

interface Reply {
  readonly status: number;
  readonly reads: string;
  readonly body: {
    release?: { version: number; info: { status: { code: string } } };
    releases?: { name: string; version: number; info: { status: { code: string } } }[];
    reason?: string;
  };
}

async function ask(
  { url }: WholeGateway,
  path: string,
  {
    method = 'GET',
    body,
    headers = {},
  }: { method?: string; body?: object; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const reads = response.headers.get('tiller-gateway-reads') ?? '';
  return { status: response.status, reads, body: (await response.json()) as Reply['body'] };
}

const inline = {
  ...chart,
  templates: chart.templates.map(({ name, data }) => ({ name, data: data.toString('base64') })),
};

/** Installs or upgrades, and gives the revision. */
async function write(gateway: WholeGateway, method: 'POST' | 'PUT', name: string): Promise<number> {
  const { status, body } = await ask(gateway, `${releases}/${name}/json`, {
    method,
    body: { chart: inline },
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body.release!.version;
}

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'consistency-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config');
  // long enough for a busy machine; where a test waits for the end of it, it asks the second
  const flags = [
    '--connector=sandbox',
    `--sandbox-kubeconfig=${file}`,
    '--records-wait=30s',
    '--drain-timeout=1s',
  ];
  first = await startGatewayWith(owner, flags);
  // undici opens spare connections, and a drain would wait for their first byte
  const brief = '--drain-timeout=1s';
  second = await startGatewayWith(owner, ['--connector=kubeconfig', `--kubeconfig=${file}`, brief]);
  for (const gateway of [first, second])
    await eventually(async () => /^records/.test((await ask(gateway, `${releases}/json`)).reads), {
      timeoutMs: 45_000,
      everyMs: 100,
    });
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

describe('read your writes', () => {
  test('through one gateway: content, history and list show each write at once, from records', async () => {
    await write(first, 'POST', 'own');
    for (let revision = 2; revision <= 10; revision++) {
      assert.equal(await write(first, 'PUT', 'own'), revision);
      const [content, list] = await Promise.all([
        ask(first, `${releases}/own/content/json`),
        ask(first, `${releases}/json?filter=^own$`),
      ]);
      assert.equal(content.body.release?.version, revision);
      assert.equal(content.body.release?.info.status.code, 'DEPLOYED');
      assert.deepEqual(
        list.body.releases?.map(({ version }) => version),
        [revision],
      );
      for (const { reads } of [content, list]) assert.match(reads, /^records; age=\d+ms$/);
    }
  });

  test('a rollback, an uninstall and a purge are seen too', async () => {
    await write(first, 'POST', 'gone');
    await write(first, 'PUT', 'gone');
    const back = await ask(first, `${releases}/gone/rollback/json`, { method: 'POST', body: { version: 1 } });
    assert.equal(back.body.release?.version, 3);
    assert.equal((await ask(first, `${releases}/gone/content/json`)).body.release?.version, 3);
    await ask(first, `${releases}/gone/json`, { method: 'DELETE' });
    const deleted = await ask(first, `${releases}/gone/content/json`);
    assert.equal(deleted.body.release?.info.status.code, 'DELETED');
    await ask(first, `${releases}/gone/json?purge=true`, { method: 'DELETE' });
    const list = await ask(first, `${releases}/json?all=true&filter=^gone$`);
    assert.equal(list.body.releases, undefined);
    assert.equal((await ask(first, `${releases}/gone/content/json`)).status, 404);
  });

  test('a write by Tiller’s own service passed through counts as well', async () => {
    using client = openTiller(first.address);
    const request = encodeMessage('hapi.services.tiller.InstallReleaseRequest', {
      name: 'passed',
      namespace: 'default',
      values: { raw: '' },
      chart,
    });
    const metadata = { 'x-helm-api-client': 'v2.17.0' };
    assert.equal((await callTiller(client, 'InstallRelease', request, { metadata })).status, 0);
    const { reads, body } = await ask(first, `${releases}/passed/content/json`);
    assert.deepEqual([body.release?.version, /^records/.test(reads)], [1, true]);
  });

  test('after a write that failed Tiller is asked', async () => {
    const broken = {
      ...inline,
      templates: [{ name: 'templates/a.yaml', data: Buffer.from('{{ fail "no" }}').toString('base64') }],
    };
    await write(first, 'POST', 'broken');
    const failed = await ask(first, `${releases}/broken/json`, { method: 'PUT', body: { chart: broken } });
    assert.notEqual(failed.status, 200);
    const { reads } = await ask(first, `${releases}/broken/content/json`);
    assert.match(
      reads,
      /^tiller; reason="records do not show what the last write did to release broken yet"$/,
    );
  });
});

test('the metrics say what is held, and what answered', async () => {
  const text = await (await fetch(`${first.url}/metrics`)).text();
  for (const line of [
    /^tiller_gateway_records [1-9]/m,
    /^tiller_gateway_records_bytes [1-9]/m,
    /^tiller_gateway_records_unreadable 0$/m,
    /^tiller_gateway_records_watch_age_seconds \d/m,
    /^tiller_gateway_reads_total\{source="records"\} [1-9]/m,
    /^tiller_gateway_reads_total\{source="tiller"\} [1-9]/m,
    /^tiller_gateway_watchers 0$/m,
    /^tiller_gateway_watch_events_total \d/m,
    /^tiller_gateway_watchers_cut_total 0$/m,
  ])
    assert.match(text, line);
});

describe('two gateways that write by turns', () => {
  test('with Min-Revision each shows what the other wrote', async () => {
    await write(first, 'POST', 'turns');
    let [writer, reader] = [second, first];
    for (let revision = 2; revision <= 12; revision++) {
      assert.equal(await write(writer, 'PUT', 'turns'), revision);
      const headers = { 'min-revision': `other=1, turns=${revision}` };
      const content = await ask(reader, `${releases}/turns/content/json`, { headers });
      assert.equal(content.body.release?.version, revision);
      assert.equal(content.body.release?.info.status.code, 'DEPLOYED');
      const list = await ask(reader, `${releases}/json?filter=^turns$`, {
        headers: { 'min-revision': `turns=${revision}` },
      });
      assert.equal(list.body.releases?.[0]?.version, revision);
      [writer, reader] = [reader, writer];
    }
  });

  test('consistent asks Tiller, by query and by metadata', async () => {
    const { reads, status } = await ask(second, `${releases}/turns/content/json?consistent=true`);
    assert.deepEqual([status, reads], [200, 'tiller; reason="consistent was asked for"']);
    using client = openTiller(second.address);
    const request = encodeMessage('appscode.swift.v2.GetReleaseContentRequest', { name: 'turns' });
    const path = '/appscode.swift.v2.ReleaseService/GetReleaseContent';
    const metadata = { 'min-revision': 'turns=12', consistent: 'true' };
    const { responses, status: code } = await callTiller(client, path, request, { metadata });
    assert.equal(code, 0);
    const { release } = decodeMessage('appscode.swift.v2.GetReleaseContentResponse', responses[0]!);
    assert.equal(release?.version, 12);
    const wrong = await callTiller(client, path, request, { metadata: { 'min-revision': 'turns' } });
    assert.equal(wrong.status, 3);
  });

  test('a revision that does not come is asked of Tiller, and what is malformed is 400', async () => {
    const headers = { 'min-revision': 'turns=99' };
    const { status, reads } = await ask(second, `${releases}/turns/content/json`, { headers });
    assert.deepEqual(
      [status, reads],
      [200, 'tiller; reason="records do not show revision 99 of release turns yet"'],
    );
    for (const malformed of ['turns', 'turns=x', 'turns=0'])
      assert.equal(
        (await ask(second, `${releases}/json`, { headers: { 'min-revision': malformed } })).status,
        400,
      );
    assert.equal((await ask(second, `${releases}/json?consistent=perhaps`)).status, 400);
  });
});

describe('live, from the records of a cluster', () => {
  async function watch(
    t: TestContext,
    { url }: WholeGateway,
    query: string,
    headers: Record<string, string> = {},
  ) {
    const stream = await EventStream.open(`${url}${releases}/watch/json${query}`, {
      headers: { accept: 'text/event-stream', ...headers },
    });
    t.after(() => stream.leave());
    assert.equal(stream.response.status, 200);
    return stream;
  }

  test('both gateways tell of each step of a write by one, and a client may change over', async t => {
    const streams = [
      await watch(t, first, '?all=true&filter=^live$'),
      await watch(t, second, '?all=true&filter=^live$'),
    ];
    for (const stream of streams) await stream.next();
    await write(first, 'POST', 'live');
    await write(second, 'PUT', 'live');
    const expected = [
      'ADDED live.v1 PENDING_INSTALL',
      'MODIFIED live.v1 DEPLOYED',
      'ADDED live.v2 PENDING_UPGRADE',
      'MODIFIED live.v1 SUPERSEDED',
      'MODIFIED live.v2 DEPLOYED',
    ];
    const start = await streams[0]!.until('ADDED');
    assert.deepEqual(['ADDED live.v1 PENDING_INSTALL', ...(await streams[0]!.take(4))], expected);
    assert.deepEqual(await streams[1]!.take(5), expected);
    streams[0]!.leave();
    const other = await watch(t, second, '?all=true&filter=^live$', { 'last-event-id': start.id });
    assert.deepEqual(await other.take(4), expected.slice(1));
  });
});
