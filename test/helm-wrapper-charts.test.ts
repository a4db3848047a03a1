/** helm-wrapper's routes about charts, repositories and uploads, each with every outcome, against the sandbox. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { type Cell, failed, ok, send, testCells } from './support/helm-wrapper-cells.ts';
import { createTestCharts } from './support/test-charts.ts';
import { startGatewayWith, type WholeGateway } from './support/whole-gateway.ts';

const files = {
  'Chart.yaml':
    'name: web\nversion: 1.4.2\nappVersion: "1.25"\ndescription: A web server\nkeywords: [nginx]\napiVersion: v1\n',
  'values.yaml': '# how many\nreplicas: 2\n',
  'README.md': '# web\n',
  'templates/cm.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-web}\ndata: {replicas: "{{ .Values.replicas }}"}\n',
};
const web = makeChart(files, 'web');
const webBeta = makeChart(
  { ...files, 'Chart.yaml': files['Chart.yaml'].replace('1.4.2', '1.5.0-beta') },
  'web',
);
const bare = makeChart({ 'Chart.yaml': 'name: bare\nversion: 0.1.0\n' }, 'bare');
const parent = makeChart(
  {
    'Chart.yaml': 'name: parent\nversion: 0.1.0\n',
    'requirements.yaml': 'dependencies: [{name: web, version: ~1.4, repository: "@stable"}]\n',
  },
  'parent',
);
const library = makeChart(
  { 'Chart.yaml': 'name: lib\nversion: 0.1.0\napiVersion: v2\ntype: library\n' },
  'lib',
);

const index = `apiVersion: v1
entries:
  web:
  - {name: web, version: 1.5.0-beta, appVersion: "1.26", description: A web server, urls: [web-1.5.0-beta.tgz]}
  - {name: web, version: 1.4.2, appVersion: "1.25", description: A web server, keywords: [nginx], urls: [web-1.4.2.tgz]}
  - {name: web, version: 1.4.1, appVersion: "1.24", description: A web server, urls: [web-1.4.2.tgz]}
  bare:
  - {name: bare, version: 0.1.0, urls: [bare-0.1.0.tgz]}
  parent:
  - {name: parent, version: 0.1.0, urls: [parent-0.1.0.tgz]}
  lib:
  - {name: lib, version: 0.1.0, urls: [lib-0.1.0.tgz]}
`;
const archives: Readonly<Record<string, Buffer>> = {
  'web-1.4.2.tgz': web,
  'web-1.5.0-beta.tgz': webBeta,
  'bare-0.1.0.tgz': bare,
  'parent-0.1.0.tgz': parent,
  'lib-0.1.0.tgz': library,
};

const folder = mkdtempSync(join(tmpdir(), 'helm-wrapper-'));
const closes: (() => Promise<void>)[] = [];
let server: TestServer;
let gateway: WholeGateway;
let isDown = false;

before(async () => {
  server = await startServer(({ url = '', headers }, response) => {
    const [, place = '', name = ''] = url.split('/');
    const isOpen = place !== 'private' || headers.authorization === `Basic ${btoa('me:secret')}`;
    if (isDown || !isOpen) response.writeHead(isDown ? 503 : 401).end();
    else if (name === 'index.yaml' && place !== 'none') response.end(index);
    else if (archives[name]) response.end(archives[name]);
    else response.writeHead(404).end();
  });
  gateway = await startGatewayWith({ after: close => closes.push(close) }, [
    '--connector=sandbox',
    '--dialects=helm-wrapper',
    `--chart-repo=stable=${server.url}/stable`,
    `--chart-upload-dir=${folder}`,
    '--chart-allow-loopback',
    '--chart-index-max-age=1h',
  ]);
});
after(async () => {
  for (const close of closes) await close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

type Row = readonly [name: string, verb: string, path: string, body: object | undefined, answer: unknown];
const cells = (rows: readonly Row[]): Cell[] =>
  rows.map(([name, verb, path, body, answer]) => ({ name, verb, path, answer, ...(body && { body }) }));

const releases = '/api/namespaces/team-a/releases';

const row = (name: string, version: string, app_version = '', description = '') => ({
  name: `stable/${name}`,
  version,
  app_version,
  description,
});
const newest = row('web', '1.4.2', '1.25', 'A web server');
const older = row('web', '1.4.1', '1.24', 'A web server');
const others = [row('bare', '0.1.0'), row('lib', '0.1.0'), row('parent', '0.1.0')];
const noSource = (chart: string) =>
  failed(
    `chart_url ${JSON.stringify(chart)} is no http(s) URL, no oci:// reference, no chart of a configured repository (REPO/CHART) and no path below the gateway's --chart-dir`,
  );
const metadata = {
  apiVersion: 'v1',
  appVersion: '1.25',
  description: 'A web server',
  keywords: ['nginx'],
  name: 'web',
  version: '1.4.2',
};
const allFiles = Object.entries(files).map(([name, data]) => ({ name, data }));

describe('charts', () => {
  testCells(
    () => gateway.url,
    cells([
      ['all files', 'GET', '/api/charts?chart=stable/web', undefined, ok(allFiles)],
      ['all files', 'GET', '/api/charts?chart=stable/web&info=all&version=1.4.2', undefined, ok(allFiles)],
      ['Chart.yaml', 'GET', '/api/charts?chart=stable/web&info=chart', undefined, ok(metadata)],
      [
        'a version',
        'GET',
        '/api/charts?chart=stable/web&info=chart&version=1.5.0-beta',
        undefined,
        ok({ ...metadata, version: '1.5.0-beta' }),
      ],
      [
        'values',
        'GET',
        '/api/charts?chart=stable/web&info=values',
        undefined,
        ok('# how many\nreplicas: 2\n'),
      ],
      ['README', 'GET', '/api/charts?chart=stable/web&info=readme', undefined, ok('# web\n')],
      ['no README', 'GET', '/api/charts?chart=stable/bare&info=readme', undefined, ok('')],
      ['no values', 'GET', '/api/charts?chart=stable/bare&info=values', undefined, ok('')],
      ['no chart named', 'GET', '/api/charts', undefined, failed('chart name can not be empty')],
      [
        'no such info',
        'GET',
        '/api/charts?chart=stable/web&info=notes',
        undefined,
        failed('bad info notes, chart info only support readme/values/chart'),
      ],
      [
        'no such chart',
        'GET',
        '/api/charts?chart=stable/nope',
        undefined,
        failed('stable/nope: no chart named "nope" in the repository'),
      ],
      [
        'no such version',
        'GET',
        '/api/charts?chart=stable/web&version=9',
        undefined,
        failed('stable/web: no version of chart "web" matches "9"'),
      ],
      ['no such repository', 'GET', '/api/charts?chart=nope/web', undefined, noSource('nope/web')],
      ['no such upload', 'GET', '/api/charts?chart=web-9.tgz', undefined, noSource('web-9.tgz')],
      ['outside', 'GET', '/api/charts?chart=../secret.tgz', undefined, noSource('../secret.tgz')],
      ['by its URL', 'GET', '/api/charts?info=chart&chart=SERVER/any/web-1.4.2.tgz', undefined, ok(metadata)],
    ]),
    () => server.url,
  );
});

const stable = { name: 'stable', url: 'SERVER/stable' };
const added = { name: 'added', url: 'SERVER/added' };
const badRepository = failed(
  "name must be letters, digits, '.', '_' and '-', begin with a letter or digit, and have at most 100 characters",
);

test('a search leaves a repository out whose index cannot be had, unless it is named', async () => {
  const repositories = [`none=${server.url}/none`, `stable=${server.url}/stable`];
  const charts = createTestCharts({ allowLoopback: true, repositories });
  const search = async (repo: string) => {
    const query = { query: 'bare', version: '>0.0.0', all_versions: false, repo };
    return (await charts.catalogue.searchHelm3(query, noSignal)).map(({ repo: of, name }) => `${of}/${name}`);
  };
  assert.deepEqual(await search(''), ['stable/bare']);
  await assert.rejects(search('none'), /index.yaml: the server answered 404/);
  await charts.close();
});

describe('repositories', () => {
  testCells(
    () => gateway.url,
    cells([
      ['all', 'GET', '/api/repositories/charts', undefined, ok([...others, newest])],
      ['a keyword of a name', 'GET', '/api/repositories/charts?keyword=WEB', undefined, ok([newest])],
      ['a keyword', 'GET', '/api/repositories/charts?keyword=nginx', undefined, ok([newest])],
      ['a description', 'GET', '/api/repositories/charts?keyword=server', undefined, ok([newest])],
      ['none', 'GET', '/api/repositories/charts?keyword=nope', undefined, ok([])],
      [
        'every version',
        'GET',
        '/api/repositories/charts?keyword=web&versions=true',
        undefined,
        ok([newest, older]),
      ],
      ['a version', 'GET', '/api/repositories/charts?keyword=web&version=1.4.1', undefined, ok([older])],
      [
        'pre-releases',
        'GET',
        '/api/repositories/charts?keyword=web&version=>0.0.0-0',
        undefined,
        ok([row('web', '1.5.0-beta', '1.26', 'A web server')]),
      ],
      [
        'no range',
        'GET',
        '/api/repositories/charts?version=new',
        undefined,
        failed('an invalid version/constraint format: improper constraint: new'),
      ],
    ]),
  );

  testCells(
    () => gateway.url,
    cells([
      ['list', 'GET', '/api/repositories', undefined, ok([stable])],
      ['fetch again', 'PUT', '/api/repositories', undefined, ok()],
      ['add', 'POST', '/api/repositories', added, ok()],
      ['add once more', 'POST', '/api/repositories', added, ok()],
      ['list', 'GET', '/api/repositories', undefined, ok([stable, added])],
      [
        'another of this name',
        'POST',
        '/api/repositories',
        { ...added, url: 'SERVER/other' },
        failed('there is a chart repository named added already, with another URL or other credentials'),
      ],
      [
        'no index',
        'POST',
        '/api/repositories',
        { name: 'none', url: 'SERVER/none' },
        failed('SERVER/none/index.yaml: the server answered 404'),
      ],
      ['no name', 'POST', '/api/repositories', { name: '../up', url: 'SERVER/up' }, badRepository],
      ['no body', 'POST', '/api/repositories', undefined, badRepository],
      [
        'no URL',
        'POST',
        '/api/repositories',
        { name: 'file', url: 'file:///etc' },
        failed('charts cannot be fetched by file: but by http: and https: only'),
      ],
      [
        'a number',
        'POST',
        '/api/repositories',
        { name: 1 },
        failed('json: cannot unmarshal number into Go struct field repository.name of type string'),
      ],
      ['remove', 'DELETE', '/api/repositories/added', undefined, ok()],
      [
        'remove twice',
        'DELETE',
        '/api/repositories/added',
        undefined,
        failed('no chart repository named "added" is configured'),
      ],
      [
        'one of the configuration',
        'DELETE',
        '/api/repositories/stable',
        undefined,
        failed(
          "the chart repository stable is set by the gateway's configuration (--chart-repo): it cannot be removed by a request",
        ),
      ],
    ]),
    () => server.url,
  );

  test('PUT /api/repositories: a server that is down', async () => {
    isDown = true;
    const { answer } = await send(gateway.url, {
      name: '',
      verb: 'PUT',
      path: '/api/repositories',
      answer: '',
    });
    isDown = false;
    assert.deepEqual(
      answer,
      failed(`error list: [{stable ${server.url}/stable/index.yaml: the server answered 503}]`),
    );
  });
});

describe('uploads', () => {
  const upload = (
    name: string,
    fileName: string,
    archive: Buffer,
    answer: unknown,
    more: Partial<Cell> = {},
  ): Cell => ({
    name,
    verb: 'POST',
    path: '/api/charts/upload',
    file: { field: 'chart', name: fileName, content: archive.toString('base64') },
    answer,
    ...more,
  });
  const none = Buffer.from('no archive');
  const useUpload: Row[] = [
    ['list', 'GET', '/api/charts/upload', undefined, ok(['bare-0.1.0.tgz', 'web-1.4.2.tgz'])],
    ['show', 'GET', '/api/charts?chart=web-1.4.2.tgz&info=readme', undefined, ok('# web\n')],
    ['install', 'POST', `${releases}/uploaded?chart=web-1.4.2.tgz`, {}, ok()],
    ['upgrade', 'PUT', `${releases}/uploaded?chart=web-1.4.2.tgz`, { set: ['replicas=3'] }, ok()],
    ['delete', 'DELETE', '/api/charts/upload/web-1.4.2.tgz', undefined, ok()],
    ['delete twice', 'DELETE', '/api/charts/upload/web-1.4.2.tgz', undefined, ok()],
    ['delete what climbs', 'DELETE', '/api/charts/upload/..%5Cconfig.tgz', undefined, ok()],
    ['install what is gone', 'POST', `${releases}/gone?chart=web-1.4.2.tgz`, {}, noSource('web-1.4.2.tgz')],
    ['delete', 'DELETE', '/api/charts/upload/bare-0.1.0.tgz', undefined, ok()],
    ['none', 'GET', '/api/charts/upload', undefined, ok([])],
  ];
  testCells(
    () => gateway.url,
    [
      { name: 'none', verb: 'GET', path: '/api/charts/upload', answer: ok([]) },
      upload('success', 'web-1.4.2.tgz', web, ok()),
      upload('once more', 'web-1.4.2.tgz', web, ok()),
      upload('a name of its own', 'my.tgz', bare, ok()),
      upload('a name that climbs', '../../../etc/bare-0.1.0.tgz', bare, ok()),
      upload('no .tgz', 'web.zip', web, failed('chart file suffix must .tgz')),
      upload('no archive', 'web-1.4.2.tgz', none, failed('does not appear to be a gzipped archive')),
      upload(
        'another chart',
        'web-1.4.2.tgz',
        bare,
        failed('the file is called "web-1.4.2.tgz", but its Chart.yaml says bare 0.1.0'),
      ),
      upload('a library', 'lib-0.1.0.tgz', library, failed('library charts are not installable')),
      upload('no file', '', none, failed('the form has to have one file, chart'), {
        file: { field: 'file', name: 'a.tgz', content: '' },
      }),
      {
        name: 'no form',
        verb: 'POST',
        path: '/api/charts/upload',
        body: {},
        answer: failed("request Content-Type isn't multipart/form-data"),
      },
      ...cells(useUpload),
    ],
    () => server.url,
  );
});

describe('the environment', () => {
  test('GET /api/envs', async () => {
    const { status, answer } = await send(gateway.url, {
      name: '',
      verb: 'GET',
      path: '/api/envs',
      answer: '',
    });
    assert.equal(status, 200);
    for (const name of ['HELM_BIN', 'HELM_NAMESPACE', 'HELM_DRIVER', 'HELM_KUBECONTEXT', 'HELM_MAX_HISTORY'])
      assert.equal(typeof answer.data[name], 'string', name);
    assert.deepEqual(
      [answer.code, answer.data.HELM_NAMESPACE, answer.data.HELM_KUBETOKEN],
      [0, 'default', ''],
    );
  });
});

const noAddress =
  'charts from 169.254.169.254 are refused: it has a link-local, metadata or reserved address';
const refused = failed('web: SERVER/private/index.yaml: the server answered 401');
const repo = 'SERVER/private';

describe('installing from repositories', () => {
  const installs = (
    [
      ['the newest release', 'newest', 'stable/web', undefined, ok()],
      ['a version', 'older', 'stable/web', { version: '<1.4.2' }, ok()],
      ['pre-releases', 'devel', 'stable/web', { devel: true }, ok()],
      [
        'no such version',
        'none',
        'stable/web',
        { version: '>2' },
        failed('stable/web: no version of chart "web" matches ">2"'),
      ],
      ['a URL', 'by-url', 'SERVER/any/web-1.4.2.tgz', undefined, ok()],
      ['repo', 'by-repo', 'web', { repo, version: '1.4.2', username: 'me', password: 'secret' }, ok()],
      ['repo that is known', 'known', 'web', { repo: 'SERVER/stable/' }, ok()],
      ['repo without a password', 'none', 'web', { repo }, refused],
      ['repo with a wrong one', 'none', 'web', { repo, username: 'me', password: 'wrong' }, refused],
      [
        'repo without the chart',
        'none',
        'nope',
        { repo: 'SERVER/stable' },
        failed('nope: no chart named "nope" in the repository'),
      ],
      [
        'repo of an address',
        'none',
        'web',
        { repo: 'http://169.254.169.254/' },
        failed(`web: http://169.254.169.254/index.yaml: ${noAddress}`),
      ],
      [
        'missing charts',
        'none',
        'stable/parent',
        undefined,
        failed(
          'SERVER/stable/parent-0.1.0.tgz: found in requirements.yaml, but missing in charts/ directory: web',
        ),
      ],
      ['dependency_update', 'parent', 'stable/parent', { dependency_update: true }, ok()],
      [
        'a library',
        'none',
        'stable/lib',
        undefined,
        failed('SERVER/stable/lib-0.1.0.tgz: library charts are not installable'),
      ],
    ] as const
  ).map(
    ([name, release, chart, body, answer]): Cell => ({
      name,
      verb: 'POST',
      path: `${releases}/${release}?chart=${chart}`,
      ...(body && { body }),
      answer,
    }),
  );
  testCells(
    () => gateway.url,
    installs,
    () => server.url,
  );

  test('what was installed', async () => {
    const { answer } = await send(gateway.url, { name: '', verb: 'GET', path: releases, answer: '' });
    const versions = answer.data.map((one: Record<string, string>) => `${one.name} ${one.chart_version}`);
    assert.deepEqual(versions, [
      'by-repo 1.4.2',
      'by-url 1.4.2',
      'devel 1.5.0-beta',
      'known 1.4.2',
      'newest 1.4.2',
      'older 1.4.2',
      'parent 0.1.0',
      'uploaded 1.4.2',
    ]);
    const path = `${releases}/parent?info=manifest`;
    const parts = await send(gateway.url, { name: '', verb: 'GET', path, answer: '' });
    assert.match(parts.answer.data, /# Source: parent\/charts\/web\/templates\/cm.yaml\n.*name: parent-web/s);
  });
});
