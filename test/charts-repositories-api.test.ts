import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { ChartMuseum, HarborCharts } from './charts/chart-servers.ts';
import { makeChart } from './charts/make-archive.ts';
import { OciRegistry } from './charts/oci-registry.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startGatewayWith, type WholeGateway } from './support/whole-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'repositories-api-'));
const file = join(folder, 'repositories.yaml');
const museum = new ChartMuseum();
const harbor = new HarborCharts('robot$team+ci', 'rob0t-s3cret');
const closing: (() => Promise<void>)[] = [];

let museumServer: TestServer;
let harborServer: TestServer;
let gateway: WholeGateway;
let stub: StubTiller;

const chart = (name: string, version: string) => ({
  name,
  version,
  archive: makeChart({ 'Chart.yaml': `name: ${name}\nversion: ${version}` }),
});

before(async () => {
  museumServer = await startServer(museum.answer);
  harborServer = await startServer(harbor.answer);
  museum.charts.push(chart('web', '1.0.0'), chart('web', '1.1.0'), chart('db', '0.1.0'));
  harbor.charts.push(chart('team', '2.0.0'));
  stub = await startStubTiller({ replies: { '*': {} } });
  const flags = ['--connector=direct', `--tiller-endpoint=${stub.address}`, '--chart-allow-loopback'];
  const repositories = [`--chart-repo=museum=${museumServer.url}`, `--chart-repo-file=${file}`];
  const owner = { after: (close: () => Promise<void>) => closing.push(close) };
  gateway = await startGatewayWith(owner, [...flags, ...repositories]);
});
after(async () => {
  for (const close of closing) await close();
  await stub[Symbol.asyncDispose]();
  await museumServer[Symbol.asyncDispose]();
  await harborServer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function call(verb: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/tiller/v2/repositories${path}/json`, {
    method: verb,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const robot = { username: 'robot$team+ci', password: 'rob0t-s3cret' };
const addHarbor = () =>
  call('POST', '', { name: 'harbor', url: `${harborServer.url}/chartrepo/team`, ...robot, validate: true });

afterEach(() => call('DELETE', '/harbor'));

test('the list says what there is, where it is known from, and what of it is held', async () => {
  assert.equal((await addHarbor()).status, 200);
  await call('POST', '/museum/refresh', {});
  const { status, body } = await call('GET', '');
  assert.equal(status, 200);
  for (const repository of body.repositories) delete repository.refreshed;
  assert.deepEqual(body, {
    repositories: [
      { name: 'museum', url: `${museumServer.url}/`, source: 'FLAG', charts: '2', versions: '3' },
      {
        name: 'harbor',
        url: `${harborServer.url}/chartrepo/team`,
        source: 'FILE',
        charts: '1',
        versions: '1',
      },
    ],
  });
});

test('a robot account goes to its repository, and comes out nowhere', async () => {
  const added = await addHarbor();
  const all = [added, await addHarbor(), await call('GET', ''), await call('POST', '/harbor/refresh', {})];
  all.push(await call('POST', '/harbor/validate', {}));
  const wrong = {
    name: 'harbor',
    url: `${harborServer.url}/chartrepo/team`,
    ...robot,
    password: 'wr0ng-s3cret',
  };
  all.push(
    await call('POST', '', wrong),
    await call('POST', '', { ...wrong, name: 'other', validate: true }),
  );
  assert.deepEqual(
    all.map(({ status }) => status),
    [200, 200, 200, 200, 200, 409, 400],
  );
  assert.match(all.at(-1)?.body.message, /chartrepo\/team\/index\.yaml: the server answered 401/);
  assert.doesNotMatch(JSON.stringify(all) + gateway.lines.join(''), /robot\$|rob0t|wr0ng/);
  assert.match(readFileSync(file, 'utf8'), /rob0t-s3cret/);
  const document = await (await fetch(`${gateway.url}/openapi.json`)).text();
  assert.doesNotMatch(document, /rob0t|"password":\s*"[^"{]/);
});

test('an unchanged index is asked about, and not read again', async () => {
  await addHarbor();
  for (const [name, server] of [['museum', museum] as const, ['harbor', harbor] as const]) {
    await call('POST', `/${name}/refresh`, {});
    const { length } = server.answers;
    const { body } = await call('POST', `/${name}/refresh`, {});
    assert.deepEqual(server.answers.slice(length), [304], name);
    assert.ok(body.repository.charts > 0, name);
  }
});

test('what is uploaded to ChartMuseum is there after a refresh', async () => {
  await call('POST', '/museum/refresh', {});
  const headers = { 'x-file': 'late-0.2.0' };
  const { archive } = chart('late', '0.2.0');
  await fetch(`${museumServer.url}/api/charts`, { method: 'POST', headers, body: new Uint8Array(archive) });
  const { body } = await call('POST', '/refresh', {});
  assert.equal(body.repositories[0].charts, '3');
  const late = await fetch(`${gateway.url}/tiller/v2/charts/museum/late/json`);
  assert.equal(((await late.json()) as { total: string }).total, '1');
  assert.ok('late' in ((await (await fetch(`${museumServer.url}/api/charts`)).json()) as object));
});

describe('validation', () => {
  test('asks for the newest archive by HEAD, at a relative URL', async () => {
    const { body } = await call('POST', '/museum/validate', {});
    assert.equal(body.valid, true);
    assert.equal(body.archive.outcome, 'REACHABLE');
    assert.equal(body.archive.url, `${museumServer.url}/charts/web-1.1.0.tgz`);
    assert.equal(museumServer.requests.at(-1)?.method, 'HEAD');
  });
  test('says where a server takes no HEAD', async () => {
    await addHarbor();
    const { body } = await call('POST', '/harbor/validate', {});
    assert.deepEqual([body.valid, body.archive.outcome], [true, 'NOT_CHECKED']);
  });
  test('counts entries that are of no use, with reasons of a closed list', async () => {
    const entries =
      '{a: x, b: [1, {version: x}, {version: 1.0.0}, {version: 1.0.0, urls: x}, {version: 1.0.0, urls: [gone.tgz]}]}';
    await using odd = await startServer(({ url }, response) => {
      if (url === '/index.yaml') response.end(`apiVersion: v1\nentries: ${entries}`);
      else response.writeHead(404).end();
    });
    await call('POST', '', { name: 'odd', url: odd.url });
    const { body } = await call('POST', '/odd/validate', {});
    assert.deepEqual(body, {
      charts: '1',
      versions: '1',
      left_out: '5',
      left_out_entries: [
        { chart: 'a', reason: 'NOT_A_LIST' },
        { chart: 'b', reason: 'NOT_A_MAP' },
        { chart: 'b', position: '1', reason: 'NO_VERSION' },
        { chart: 'b', position: '2', reason: 'NO_URL' },
        { chart: 'b', position: '3', reason: 'WRONG_TYPE' },
      ],
      archive: {
        chart: 'b',
        version: '1.0.0',
        url: `${odd.url}/gone.tgz`,
        outcome: 'FAILED',
        error: 'the server answered 404',
      },
    });
    await call('DELETE', '/odd');
  });
  test('tells of a repository that is not there, in the answer', async () => {
    await call('POST', '', { name: 'gone', url: `${museumServer.url}/gone` });
    const { status, body } = await call('POST', '/gone/validate', {});
    assert.deepEqual(
      [status, body],
      [200, { error: `${museumServer.url}/gone/index.yaml: the server answered 404` }],
    );
    await call('DELETE', '/gone');
  });
});

describe('errors', () => {
  const cases: [string, string, unknown, number, string][] = [
    ['DELETE', '/museum', undefined, 400, 'PRECONDITION_FAILED'],
    ['DELETE', '/nobody', undefined, 404, 'REPOSITORY_NOT_FOUND'],
    ['POST', '/nobody/refresh', {}, 404, 'REPOSITORY_NOT_FOUND'],
    ['POST', '/nobody/validate', {}, 404, 'REPOSITORY_NOT_FOUND'],
    ['POST', '', { name: 'museum', url: 'https://other.example' }, 409, 'REPOSITORY_EXISTS'],
    ['POST', '', { name: 'uploads', url: 'https://other.example' }, 400, 'INVALID_REQUEST'],
    ['POST', '', { name: 'a', url: 'http://169.254.169.254' }, 400, 'INVALID_REQUEST'],
    ['POST', '', { name: 'a', url: 'http://a.example', token: 't', username: 'u' }, 400, 'INVALID_REQUEST'],
    ['PUT', '', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/museum/refresh', undefined, 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/refresh', undefined, 405, 'METHOD_NOT_ALLOWED'],
  ];
  for (const [verb, path, body, status, reason] of cases) {
    test(`${verb} ${path} ${JSON.stringify(body) ?? ''}`, async () => {
      const answer = await call(verb, path, body);
      assert.deepEqual([answer.status, answer.body.reason], [status, reason]);
    });
  }

  const changes: [string, string, unknown][] = [
    ['POST', '', { name: 'foreign', url: 'https://other.example' }],
    ['POST', '/refresh', {}],
    ['POST', '/museum/refresh', {}],
    ['POST', '/museum/validate', {}],
    ['DELETE', '/museum', undefined],
  ];
  for (const [verb, path, body] of changes) {
    for (const foreign of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      test(`${verb} ${path} by a page of another origin: ${Object.keys(foreign)}`, async () => {
        const { length } = museumServer.requests;
        const headers = foreign as Record<string, string>;
        assert.equal((await call(verb, path, body, headers)).status, 403);
        assert.equal(museumServer.requests.length, length);
      });
    }
  }
});

test('charts of an added repository and of a registry are installed and upgraded to', async () => {
  const registry = new OciRegistry(robot.username, robot.password);
  registry.authentication = 'bearer';
  registry.addChart('team/web', '3.0.0', chart('web', '3.0.0').archive);
  await using server = await startServer(registry.answer);
  await addHarbor();
  const send = async (method: string, chart_url: string, credentials = {}) => {
    const response = await fetch(`${gateway.url}/tiller/v2/releases/web/json`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ chart_url, ...credentials }),
    });
    return [response.status, (await response.text()).includes('s3cret')];
  };
  const oci = `oci://127.0.0.1:${server.port}/team/web`;
  assert.deepEqual(await send('POST', 'harbor/team'), [200, false]);
  assert.deepEqual(await send('PUT', oci, robot), [200, false]);
  assert.deepEqual(await send('PUT', `${oci}:9.9.9`, robot), [400, false]);
  const metadata = (['InstallRelease', 'UpdateRelease'] as const).map(method => {
    const request = stub.callsOf(method).at(-1)!.request;
    return decodeMessage(`hapi.services.tiller.${method}Request`, request).chart?.metadata;
  });
  assert.deepEqual(
    metadata.map(given => `${given?.name} ${given?.version}`),
    ['team 2.0.0', 'web 3.0.0'],
  );
});

test('by gRPC it is the same', async () => {
  using client = openTiller(gateway.address);
  const ask = async (method: string, request: Uint8Array) =>
    callTiller(client, `/appscode.swift.v2.ChartService/${method}`, request);
  const added = await ask(
    'AddRepository',
    encodeMessage('appscode.swift.v2.AddRepositoryRequest', { name: 'native', url: museumServer.url }),
  );
  assert.equal(added.status, 0);
  const listed = await ask('ListRepositories', Buffer.alloc(0));
  const { repositories } = decodeMessage('appscode.swift.v2.ListRepositoriesResponse', listed.responses[0]!);
  assert.deepEqual(
    repositories.map(({ name, source }) => `${name} ${source}`),
    ['museum FLAG', 'native FILE'],
  );
  const name = encodeMessage('appscode.swift.v2.RemoveRepositoryRequest', { name: 'native' });
  assert.deepEqual(
    [(await ask('RemoveRepository', name)).status, (await ask('RemoveRepository', name)).status],
    [0, 5],
  );
});
