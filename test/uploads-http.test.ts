/** Uploads over HTTP: as a form, as JSON, by gRPC, through a hub, and by clients that do not mean well. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { startSandboxTiller } from '../src/sandbox/index.ts';
import { makeChart } from './charts/make-archive.ts';
import { eventually } from './support/eventually.ts';
import { createFolder, startCluster, startHub } from './support/hub-stage.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startGatewayWith, type WholeGateway } from './support/whole-gateway.ts';

const path = '/tiller/v2/charts/uploads/json';
const template =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: {{ .Values.a | quote }}\n';

const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
let folder: string;
let gateway: WholeGateway;
/** A hub whose cluster `member` has the gateway above. */
let hubUrl: string;
let tillerAddress: string;

before(async () => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uploads-http-'));
  owner.after(() => rmSync(folder, { recursive: true }));
  const tiller = await startSandboxTiller();
  owner.after(() => tiller.stop());
  tillerAddress = tiller.address;
  const flags = [`--chart-upload-dir=${folder}`, '--chart-max-bytes=1MiB', '--body-limit=3MiB'];
  gateway = await startGatewayWith(owner, [
    '--connector=direct',
    `--tiller-endpoint=${tillerAddress}`,
    ...flags,
  ]);
  const member = await startCluster(owner, 9);
  member.setGateway({ host: '127.0.0.1', port: gateway.port });
  const stage = createFolder(owner);
  await member.writeKubeconfig(`${stage.folder}/member`);
  hubUrl = (await startHub(owner, stage, 'clusters:\n- {name: member, kubeconfig: member}\n')).url;
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

function chartOf(name: string, version: string, bytes = 0): Buffer {
  const metadata = `name: ${name}\nversion: ${version}\ndescription: about ${name}\n`;
  const files = { 'Chart.yaml': metadata, 'values.yaml': 'a: 1\n', 'templates/map.yaml': template };
  return makeChart({ ...files, noise: randomBytes(bytes) }, name);
}

type Fields = readonly (readonly [string, string | Buffer, fileName?: string])[];

function formOf(...fields: Fields): FormData {
  const form = new FormData();
  for (const [name, value, fileName] of fields)
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([new Uint8Array(value)]), fileName ?? 'chart.tgz');
  return form;
}

async function call(
  verb: string,
  where: string,
  body?: FormData | object,
  headers: Record<string, string> = {},
) {
  const isForm = body instanceof FormData;
  const response = await fetch(where.startsWith('http') ? where : `${gateway.url}${where}`, {
    method: verb,
    headers: { ...headers, ...(body && !isForm && { 'content-type': 'application/json' }) },
    ...(body && { body: isForm ? body : JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  return { status: response.status, body: (await response.json()) as any };
}

test('an upload is listed, searched, looked at, installed and removed', async () => {
  const archive = chartOf('web', '1.4.2');
  const uploaded = await call('POST', path, formOf(['chart', archive, 'web-1.4.2.tgz']));
  assert.equal(uploaded.status, 200, JSON.stringify(uploaded.body));
  const { upload } = uploaded.body;
  const { digest, created, ...chart } = upload.chart;
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.ok(Math.abs(Date.parse(created) - Date.now()) < 3_600_000);
  assert.deepEqual(chart, {
    repo: 'uploads',
    name: 'web',
    version: '1.4.2',
    description: 'about web',
    urls: ['uploads/web/1.4.2'],
  });
  assert.deepEqual(
    { ...upload, chart: undefined },
    {
      chart: undefined,
      chart_url: 'uploads/web/1.4.2',
      file_name: 'web-1.4.2.tgz',
      bytes: String(archive.length),
    },
  );
  await call('POST', path, formOf(['chart', chartOf('web', '1.5.0+b.1')]));
  const { body: list } = await call('GET', path);
  assert.deepEqual(
    [list.count, ...list.uploads.map((one: { chart_url: string }) => one.chart_url)],
    ['2', 'uploads/web/1.5.0+b.1', 'uploads/web/1.4.2'],
  );
  const { body: versions } = await call('GET', '/tiller/v2/charts/uploads/web/json?version=~1.4');
  assert.deepEqual(versions.charts, [upload.chart]);
  const { body: search } = await call('GET', '/tiller/v2/charts/json?query=about');
  assert.deepEqual([search.total, search.charts[0].repo], ['1', 'uploads']);
  const { body: parts } = await call('GET', '/tiller/v2/charts/uploads/web/1.4.2/json?parts=values');
  assert.equal(parts.values, 'a: 1\n');
  for (const [index, chart_url] of ['uploads/web/1.4.2', 'uploads/web/^1.4', 'uploads/web'].entries()) {
    const installed = await call('POST', `/tiller/v2/releases/r${index}/json`, { chart_url, set: ['a=x'] });
    assert.equal(installed.status, 200, JSON.stringify(installed.body));
    const expected = index === 0 ? '1.4.2' : '1.5.0+b.1';
    assert.equal(installed.body.release.chart.metadata.version, expected);
    assert.match(installed.body.release.manifest, /a: "x"/);
  }
  const missing = await call('POST', '/tiller/v2/releases/none/json', { chart_url: 'uploads/web/^2' });
  assert.deepEqual([missing.status, missing.body.code], [400, 3]);
  assert.match(missing.body.message, /^uploads\/web: no version of chart "web" matches "\^2"/);

  const one = '/tiller/v2/charts/uploads/web/1.5.0%2Bb.1/json';
  const removed = await call('DELETE', one);
  assert.deepEqual([removed.status, removed.body.upload.chart_url], [200, 'uploads/web/1.5.0+b.1']);
  const again = await call('DELETE', one);
  assert.deepEqual([again.status, again.body.reason], [404, 'CHART_NOT_FOUND']);
  assert.deepEqual(readdirSync(folder), ['web-1.4.2.tgz']);
});

test('the same by JSON, by gRPC and over HTTP/2', async () => {
  const json = await call('POST', path, { archive: chartOf('json', '1.0.0').toString('base64') });
  assert.deepEqual([json.status, json.body.upload.chart_url], [200, 'uploads/json/1.0.0']);

  using client = openTiller(gateway.address);
  const send = (archive: Buffer) => {
    const request = encodeMessage('appscode.swift.v2.UploadChartRequest', { archive });
    return callTiller(client, '/appscode.swift.v2.ChartService/UploadChart', request);
  };
  const { responses } = await send(chartOf('grpc', '1.0.0'));
  const reply = decodeMessage('appscode.swift.v2.UploadChartResponse', responses[0]!);
  assert.equal(reply.upload?.file_name, 'grpc-1.0.0.tgz');
  assert.equal((await send(chartOf('grpc', '1.0.0'))).status, 6);

  const session = connectHttp2(gateway.url);
  const form = new Response(formOf(['chart', chartOf('h2', '1.0.0')]));
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': form.headers.get('content-type')!,
  });
  stream.end(Buffer.from(await form.arrayBuffer()));
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 200);
  stream.resume();
  session.close();
  assert.deepEqual(readdirSync(folder).sort(), ['grpc-1.0.0.tgz', 'h2-1.0.0.tgz', 'json-1.0.0.tgz']);
});

test('the same version again is 409, unless it is forced, in the form or in the query', async () => {
  const form = (...fields: Fields) => formOf(['chart', chartOf('web', '1.0.0')], ...fields);
  assert.equal((await call('POST', path, form())).status, 200);
  const refused = await call('POST', path, form());
  assert.deepEqual([refused.status, refused.body.code, refused.body.reason], [409, 6, 'CHART_EXISTS']);
  for (const [where, body] of [
    [path, form(['force', 'true'])],
    [`${path}?force=true`, form()],
    [path, { archive: chartOf('web', '1.0.0').toString('base64'), force: true }],
  ] as const) {
    const forced = await call('POST', where, body);
    assert.deepEqual([forced.status, forced.body.replaced], [200, true]);
  }
  assert.equal((await call('POST', `${path}?force=false`, form(['force', 'true']))).status, 409);
});

describe('forms that are refused leave nothing behind', () => {
  const web = chartOf('web', '1.0.0');
  const cases: Record<string, [body: FormData | object, status: number, message: RegExp]> = {
    'no file': [formOf(['force', 'true']), 400, /one file, chart/],
    'a file of another name': [formOf(['archive', web]), 400, /one file, chart/],
    'two files': [formOf(['chart', web], ['chart', web]), 400, /one file, chart/],
    'a text in its place': [formOf(['chart', 'web']), 400, /has to be a file/],
    'no chart': [formOf(['chart', Buffer.from('x')]), 400, /gzipped/],
    'force that is no boolean': [formOf(['chart', web], ['force', 'perhaps']), 400, /force/],
    'a misleading name': [formOf(['chart', web, 'web-2.0.0.tgz']), 400, /says web 1.0.0/],
    'too many parts': [
      formOf(...Array.from({ length: 30 }, (_, index) => [`f${index}`, 'x'] as const)),
      400,
      /20 parts/,
    ],
    'a chart over its bound': [formOf(['chart', chartOf('web', '1.0.0', 2 ** 20)]), 413, /--chart-max-bytes/],
    'a form over its bound': [
      formOf(['chart', chartOf('web', '1.0.0', 3 * 2 ** 20)]),
      413,
      /limit of 3145728/,
    ],
    'JSON without an archive': [{}, 400, /gzipped/],
  };
  for (const [what, [body, status, message]] of Object.entries(cases)) {
    test(what, async () => {
      const answer = await call('POST', path, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.body.message, message);
      await eventually(() => readdirSync(folder).length === 0);
    });
  }

  test('a name that climbs makes no path', async () => {
    const answer = await call('POST', path, formOf(['chart', web, '../../../../tmp/evil.tgz']));
    assert.deepEqual([answer.status, answer.body.upload.file_name], [200, 'web-1.0.0.tgz']);
    assert.deepEqual(readdirSync(folder), ['web-1.0.0.tgz']);
  });

  for (const [what, type] of [
    ['no boundary', 'multipart/form-data'],
    ['another boundary', 'multipart/form-data; boundary=zzz'],
  ] as const) {
    test(what, async () => {
      const body = await new Response(formOf(['chart', web])).arrayBuffer();
      const response = await fetch(gateway.url + path, {
        method: 'POST',
        body,
        headers: { 'content-type': type },
      });
      assert.equal(response.status, 400, await response.text());
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  test('a packed body', async () => {
    const headers = { 'content-encoding': 'gzip' };
    assert.equal((await call('POST', path, formOf(['chart', web]), headers)).status, 400);
  });
});

test('pages of another origin may not upload, whatever the type', async () => {
  const json = { archive: chartOf('web', '1.0.0').toString('base64') };
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
  ] as Record<string, string>[]) {
    for (const body of [formOf(['chart', chartOf('web', '1.0.0')]), json])
      assert.equal((await call('POST', path, body, headers)).status, 403, JSON.stringify(headers));
    assert.equal(
      (await call('DELETE', '/tiller/v2/charts/uploads/web/1.0.0/json', undefined, headers)).status,
      403,
    );
  }
  assert.deepEqual(readdirSync(folder), []);
  const own = { origin: gateway.url, 'sec-fetch-site': 'same-origin' };
  assert.equal((await call('POST', path, formOf(['chart', chartOf('web', '1.0.0')]), own)).status, 200);
});

describe('a client that is slow', () => {
  const boundary = 'xxBOUNDARYxx';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="chart"; filename="a.tgz"\r\nContent-Type: application/gzip\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  const type = `multipart/form-data; boundary=${boundary}`;
  const written = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

  function open(port: number) {
    return httpRequest({ port, path, method: 'POST', headers: { 'content-type': type } });
  }

  test('has its file on the disk before it has sent all of it', async () => {
    const archive = chartOf('slow', '1.0.0', 200_000);
    const request = open(gateway.port);
    const answered = once(request, 'response');
    request.write(head);
    request.write(archive.subarray(0, 150_000));
    await eventually(() => written() > 100_000);
    assert.match(readdirSync(folder).join(), /^\.upload-[0-9a-f]{32}\.part$/);
    assert.deepEqual((await call('GET', path)).body, {});
    request.write(archive.subarray(150_000));
    request.end(tail);
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    response.resume();
    assert.deepEqual(readdirSync(folder), ['slow-1.0.0.tgz']);
  });

  test('and goes leaves nothing behind', async () => {
    const request = open(gateway.port).on('error', () => {});
    request.write(head);
    request.write(randomBytes(100_000));
    await eventually(() => written() > 0);
    request.destroy();
    await eventually(() => readdirSync(folder).length === 0);
  });

  test('and whose form ends early is told so', async () => {
    const body = head + chartOf('web', '1.0.0').toString('latin1').slice(0, 100);
    const socket = connect(gateway.port, '127.0.0.1');
    socket.end(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    );
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes('cut off')) break;
    }
    assert.match(answer, /^HTTP\/1.1 400 .*malformed or cut off/s);
    await eventually(() => readdirSync(folder).length === 0);
  });

  test('and stops is cut off by the time limit for requests', async t => {
    const impatient = await startGatewayWith(t, [
      '--connector=direct',
      `--tiller-endpoint=${tillerAddress}`,
      `--chart-upload-dir=${folder}`,
      '--request-timeout=1s',
      '--header-timeout=1s', // as often it looks for slow requests
    ]);
    const request = open(impatient.port);
    const ended = new Promise(resolve => request.on('response', resolve).on('error', resolve));
    request.write(head);
    request.write(randomBytes(1000));
    await ended;
    request.destroy();
    await eventually(() => readdirSync(folder).length === 0);
  });
});

test('a hub passes uploads on to a member’s own gateway', async () => {
  const member = `${hubUrl}/clusters/member`;
  const archive = chartOf('web', '1.0.0', 300_000);
  const uploaded = await call('POST', member + path, formOf(['chart', archive], ['force', 'true']));
  assert.deepEqual([uploaded.status, uploaded.body.upload.chart_url], [200, 'uploads/web/1.0.0']);
  assert.deepEqual(readdirSync(folder), ['web-1.0.0.tgz']);
  assert.equal((await call('POST', member + path, formOf(['chart', archive]))).status, 409);
  assert.equal((await call('GET', member + path)).body.count, '1');
  assert.equal((await call('DELETE', `${member}/tiller/v2/charts/uploads/web/1.0.0/json`)).status, 200);
  // the hub itself keeps none
  const own = await call('POST', hubUrl + path, formOf(['chart', archive]));
  assert.deepEqual([own.status, own.body.reason], [501, 'NOT_SUPPORTED']);
});
