import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { ChartOptions } from '../src/charts/chart/chart-options.ts';
import type { Charts } from '../src/charts/index.ts';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { sendWithEtag, startServer, type TestServer } from './charts/repository-server.ts';
import { createTestCharts } from './support/test-charts.ts';

const versions = ['1.0.0', '1.2.0', '1.10.0', '2.0.0', '3.0.0-rc.1'];
const query = { query: '', repo: '', version: '', all_versions: false, limit: 0, offset: '', regexp: false };

let server: TestServer;
let charts: Charts;
let answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;

function archive(version: string): Buffer {
  return makeChart({ 'Chart.yaml': `name: web\nversion: ${version}` });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function indexYaml(): string {
  const entries = versions.map(
    version => `
  - name: web
    version: ${version}
    description: Serves pages
    keywords: [http]
    created: "2020-01-02T03:04:05.678901234Z"
    digest: ${sha256(archive(version))}
    urls: [charts/web-${version}.tgz]`,
  );
  return `apiVersion: v1
entries:
  web:${entries.join('')}
  broken:
  - null
  - {name: broken, version: not a version, urls: [x]}
  - {name: broken, version: 1.0.0}
  lies:
  - {name: lies, version: 1.0.0, digest: ${'0'.repeat(64)}, urls: [charts/web-1.0.0.tgz]}
  outside:
  - {name: outside, version: 1.0.0, urls: ["http://169.254.169.254/latest"]}
`;
}

beforeEach(async () => {
  answer = undefined;
  server = await startServer((request, response) => {
    if (answer?.(request, response)) return;
    const [, version] = /web-(.*)\.tgz$/.exec(request.url ?? '') ?? [];
    if (request.url === '/repo/index.yaml') sendWithEtag(request, response, Buffer.from(indexYaml()));
    else if (version) response.end(archive(version));
    else response.writeHead(404).end();
  });
  charts = createTestCharts(options());
});

afterEach(async () => {
  await charts.close();
  await server[Symbol.asyncDispose]();
});

function options(given: Partial<ChartOptions> = {}): Partial<ChartOptions> {
  return { allowLoopback: true, repositories: [`stable=${server.url}/repo/`], ...given };
}

async function versionOf(chartUrl: string): Promise<string | undefined> {
  const { chart } = await charts.resolve(chartRequest({ chartUrl }), noSignal);
  return decodeMessage('hapi.chart.Chart', chart).metadata?.version;
}

function refused(chartUrl: string, code: number, message: RegExp) {
  return assert.rejects(versionOf(chartUrl), { name: 'GatewayError', code, message });
}

describe('a chart of a repository', () => {
  const wanted: [string, string][] = [
    ['stable/web', '2.0.0'],
    ['stable/web/', '2.0.0'],
    ['stable/web/1.2.0', '1.2.0'],
    ['stable/web/3.0.0-rc.1', '3.0.0-rc.1'],
    ['stable/web/^1.0', '1.10.0'],
    ['stable/web/~1.2', '1.2.0'],
    ['stable/web/>=1.0, <1.5', '1.2.0'],
    ['stable/web/>2.0.0-0', '3.0.0-rc.1'],
  ];
  for (const [url, version] of wanted) {
    test(url, async () => assert.equal(await versionOf(url), version));
  }

  const wrong: [string, RegExp][] = [
    ['stable/none', /^stable\/none: no chart named "none"/],
    ['stable/web/^9', /no version of chart "web" matches "\^9"/],
    ['stable/web/latest', /not a version or a range/],
    ['stable/broken', /stable\/broken: version 1\.0\.0 of the chart has no downloadable URLs/],
    ['stable/lies', /lies: .*digest is not the one in the repository's index/],
    ['stable/outside', /169\.254\.169\.254 are refused/],
    ['other/web', /"other\/web" is no http\(s\) URL/],
    ['stable', /is no http\(s\) URL/],
    ['../web', /is no http\(s\) URL/],
  ];
  for (const [url, message] of wrong) test(url, () => refused(url, 3, message));
});

describe('the index', () => {
  test('is fetched once, and an archive with a digest too', async () => {
    for (let round = 0; round < 5; round++) await versionOf('stable/web/1.2.0');
    assert.deepEqual(
      server.requests.map(({ url }) => url),
      ['/repo/index.yaml', '/repo/charts/web-1.2.0.tgz'],
    );
  });

  test('is asked about when it is too old, and what changed is seen', async () => {
    await charts.close();
    charts = createTestCharts(options({ indexMaxAgeMs: 0 }));
    assert.equal(await versionOf('stable/web'), '2.0.0');
    assert.equal(await versionOf('stable/web'), '2.0.0');
    assert.ok(server.requests.at(-1)?.headers['if-none-match']);
    answer = ({ url }, response) => {
      if (url !== '/repo/index.yaml') return false;
      response.end(indexYaml().replaceAll('2.0.0', '1.9.9'));
      return true;
    };
    assert.equal(await versionOf('stable/web'), '1.10.0');
  });

  test('that cannot be fetched', async () => {
    answer = (_request, response) => Boolean(response.writeHead(500).end());
    await refused('stable/web', 14, /index\.yaml: the server answered 500/);
  });

  const bodies: [string, string, RegExp][] = [
    ['a page', '<html>', /must be a map|error converting/],
    ['no entries', 'a: b', /is no repository index/],
    ['broken YAML', 'apiVersion: [', /index\.yaml: error converting YAML/],
  ];
  for (const [title, body, message] of bodies) {
    test(`that is ${title}`, async () => {
      answer = (_request, response) => Boolean(response.end(body));
      await refused('stable/web', 3, message);
    });
  }
});

describe('credentials of a repository', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'charts-'));
    file = join(folder, 'credentials.yaml');
  });
  after(() => rmSync(folder, { recursive: true }));

  const authorizations = () => server.requests.map(({ headers }) => headers.authorization);

  test('go with the index and its archives', async () => {
    writeFileSync(file, 'stable: {username: u, password: p}\nother: {token: t}\n');
    await charts.close();
    charts = createTestCharts(options({ repositoryCredentialsFile: file }));
    await versionOf('stable/web');
    assert.deepEqual(authorizations(), [`Basic ${btoa('u:p')}`, `Basic ${btoa('u:p')}`]);
  });

  test('are read anew each time', async () => {
    writeFileSync(file, 'stable: {token: old}\n');
    await charts.close();
    charts = createTestCharts(options({ repositoryCredentialsFile: file, indexMaxAgeMs: 0 }));
    await versionOf('stable/web');
    writeFileSync(file, 'stable: {token: new}\n');
    await versionOf('stable/web/1.0.0');
    assert.deepEqual(authorizations(), ['Bearer old', 'Bearer old', 'Bearer new', 'Bearer new']);
  });

  test('do not go to another origin', async () => {
    await using other = await startServer((_request, response) => response.end(archive('1.0.0')));
    answer = ({ url }, response) => {
      if (url !== '/repo/index.yaml') return false;
      const entry = `[{name: web, version: 1.0.0, urls: ["${other.url}/web.tgz"]}]`;
      response.end(`apiVersion: v1\nentries: {web: ${entry}}`);
      return true;
    };
    writeFileSync(file, 'stable: {token: t}\n');
    await charts.close();
    charts = createTestCharts(options({ repositoryCredentialsFile: file }));
    await versionOf('stable/web');
    assert.deepEqual(authorizations(), ['Bearer t']);
    assert.equal(other.requests[0]?.headers.authorization, undefined);
  });

  test('that cannot be read are no matter for the caller', async () => {
    await charts.close();
    charts = createTestCharts(options({ repositoryCredentialsFile: join(folder, 'none') }));
    await assert.rejects(versionOf('stable/web'), { code: 9, message: /its credentials for .* stable$/ });
  });
});

describe('configuration that cannot be right', () => {
  const cases: [string, Partial<ChartOptions>, RegExp][] = [
    ['no name', { repositories: ['http://x'] }, /must be NAME=URL/],
    ['no http', { repositories: ['a=ftp://x'] }, /ftp:/],
    ['a password', { repositories: ['a=http://u:p@x'] }, /credentials file/],
    ['a name twice', { repositories: ['a=http://x', 'a=http://y'] }, /given twice/],
    ['a rule that is none', { allow: ['a b'] }, /not a host pattern/],
    ['a range that is none', { deny: ['10.0.0.0/40'] }, /not an address range/],
  ];
  for (const [title, given, message] of cases) {
    test(title, () => assert.throws(() => createTestCharts(given), { code: 3, message }));
  }
});

describe('search', () => {
  const search = (given: Partial<typeof query>) => charts.catalogue.search({ ...query, ...given }, noSignal);
  const keys = async (given: Partial<typeof query>) =>
    (await search(given)).charts.map(({ name, version }) => `${name} ${version}`);

  test('lists the newest release of every chart', async () => {
    assert.deepEqual(await keys({}), ['broken 1.0.0', 'lies 1.0.0', 'outside 1.0.0', 'web 2.0.0']);
  });
  test('by the whole text, in any case', async () => {
    assert.deepEqual(await keys({ query: 'SERVES pages' }), ['web 2.0.0']);
    assert.deepEqual(await keys({ query: 'stable/web' }), ['web 2.0.0']);
    assert.deepEqual(await keys({ query: 'serves http' }), []);
    assert.deepEqual(await keys({ query: 'Serves p.*s', regexp: true }), ['web 2.0.0']);
    assert.deepEqual(await keys({ query: 'SERVES', regexp: true }), []);
  });
  test('by version', async () => {
    assert.deepEqual(await keys({ version: '^1.0', query: 'web' }), ['web 1.10.0']);
    assert.deepEqual(await keys({ version: '3.0.0-rc.1' }), ['web 3.0.0-rc.1']);
    assert.deepEqual(await keys({ version: '1.x', all_versions: true, query: 'web' }), [
      'web 1.10.0',
      'web 1.2.0',
      'web 1.0.0',
    ]);
  });
  test('by pages', async () => {
    const first = await search({ limit: 3 });
    assert.deepEqual([first.count, first.total, first.next], [3, 4, 'stable/web/2.0.0']);
    const second = await search({ limit: 2, offset: first.next });
    assert.deepEqual([second.count, second.total, second.next], [1, 4, '']);
  });
  test('says what the index says, in a message that can be sent', async () => {
    const { charts: hits } = await search({ query: 'web' });
    const wire = encodeMessage('appscode.swift.v2.SearchChartsResponse', { charts: [...hits] });
    const [chart] = decodeMessage('appscode.swift.v2.SearchChartsResponse', wire).charts;
    assert.equal(chart?.digest, sha256(archive('2.0.0')));
    assert.deepEqual(chart?.urls, ['charts/web-2.0.0.tgz']);
    assert.equal(chart?.created?.seconds, Date.UTC(2020, 0, 2, 3, 4, 5) / 1000);
  });

  const wrong: [string, Partial<typeof query>, RegExp][] = [
    ['a repository that is not there', { repo: 'x' }, /no chart repository named "x"/],
    ['a negative limit', { limit: -1 }, /limit must not be negative/],
    ['an offset that is none', { offset: 'x' }, /offset "x" not found/],
    ['an expression that is none', { query: '(', regexp: true }, /missing closing \)/],
    ['a version that is none', { version: 'x y' }, /not a version/],
  ];
  for (const [title, given, message] of wrong) {
    test(title, () => assert.rejects(search(given), { code: 3, message }));
  }
});

test('a repository that does not answer hides no other, and is named', async () => {
  await charts.close();
  charts = createTestCharts(
    options({ repositories: [`stable=${server.url}/repo`, 'down=http://127.0.0.1:1'] }),
  );
  const { total, failed_repositories } = await charts.catalogue.search(query, noSignal);
  assert.deepEqual([total, failed_repositories], [4, ['down']]);
  assert.equal((await charts.catalogue.searchHelm3({ ...query, all_versions: false }, noSignal)).length, 4);
  await assert.rejects(charts.catalogue.search({ ...query, repo: 'down' }, noSignal), { code: 14 });
  const gone = AbortSignal.abort(new Error('gone'));
  await assert.rejects(charts.catalogue.search(query, gone), { code: 1 });
});

describe('versions of a chart', () => {
  const all = { repository: 'stable', name: 'web', version: '', limit: 0, offset: '' };
  const list = (given: Partial<typeof all>) => charts.catalogue.versions({ ...all, ...given }, noSignal);
  const texts = async (given: Partial<typeof all>) =>
    (await list(given)).charts.map(({ version }) => version);

  test('newest first, pre-releases as well', async () => {
    assert.deepEqual(await texts({}), versions.toReversed());
  });
  test('of a range, or one by its text', async () => {
    assert.deepEqual(await texts({ version: '^1.1' }), ['1.10.0', '1.2.0']);
    assert.deepEqual(await texts({ version: '3.0.0-rc.1' }), ['3.0.0-rc.1']);
    assert.deepEqual(await texts({ version: '9.x' }), []);
  });
  test('by pages', async () => {
    const first = await list({ limit: 3 });
    assert.deepEqual([first.count, first.total, first.next], [3, 5, '1.2.0']);
    assert.deepEqual(await texts({ limit: 3, offset: first.next }), ['1.2.0', '1.0.0']);
  });

  const wrong: [string, Partial<typeof all>, { code: number; reason: string; message: RegExp }][] = [
    [
      'a repository that is not there',
      { repository: 'x' },
      { code: 5, reason: 'REPOSITORY_NOT_FOUND', message: /no chart repository named "x"/ },
    ],
    [
      'a chart that is not there',
      { name: 'x/y' },
      { code: 5, reason: 'CHART_NOT_FOUND', message: /no chart named "x\/y" in the repository stable/ },
    ],
    ['a negative limit', { limit: -1 }, { code: 3, reason: 'INVALID_REQUEST', message: /must not be neg/ }],
    [
      'an offset that is none',
      { offset: 'x' },
      { code: 3, reason: 'INVALID_REQUEST', message: /offset "x"/ },
    ],
    [
      'a range that is none',
      { version: 'x y' },
      { code: 3, reason: 'INVALID_REQUEST', message: /not a vers/ },
    ],
  ];
  for (const [title, given, error] of wrong) test(title, () => assert.rejects(list(given), error));
});

describe('parts of a chart', () => {
  const newest = { repository: 'stable', name: 'web', version: '1.x', parts: ['values', 'chart'] };
  const get = async (given: Partial<typeof newest>) => {
    const wire = await charts.catalogue.chart({ ...newest, ...given }, noSignal);
    return decodeMessage('appscode.swift.v2.GetChartResponse', wire);
  };

  test('of a version or the newest of a range, with what the index says of it', async () => {
    const { summary, chart, values } = await get({});
    assert.equal(summary?.version, '1.10.0');
    assert.deepEqual(summary?.keywords, ['http']);
    assert.equal(chart?.fields.version?.stringValue, '1.10.0');
    assert.equal(values, '');
    assert.equal((await get({ version: '3.0.0-rc.1' })).summary?.version, '3.0.0-rc.1');
  });
  test('from any other place', async () => {
    const wanted = { archive: archive('1.0.0'), url: '', credentials: {}, verify: false };
    const wire = await charts.catalogue.show(wanted, ['files'], noSignal);
    const { files } = decodeMessage('appscode.swift.v2.GetChartResponse', wire);
    assert.deepEqual(
      files.map(({ name, text }) => [name, text]),
      [['Chart.yaml', 'name: web\nversion: 1.0.0']],
    );
  });

  const wrong: [string, Partial<typeof newest>, { code: number; reason: string; message: RegExp }][] = [
    [
      'a repository that is not there',
      { repository: 'x' },
      { code: 5, reason: 'REPOSITORY_NOT_FOUND', message: /no chart repository named "x"/ },
    ],
    [
      'a chart that is not there',
      { name: '../web' },
      { code: 5, reason: 'CHART_NOT_FOUND', message: /no version "1.x" of a chart named "..\/web" in the/ },
    ],
    [
      'a version that is not there',
      { version: '9.9.9' },
      { code: 5, reason: 'CHART_NOT_FOUND', message: /no version "9.9.9" of a chart named "web"/ },
    ],
    [
      'a range that is none',
      { version: 'x y' },
      { code: 3, reason: 'INVALID_REQUEST', message: /not a vers/ },
    ],
    [
      'a part that is none',
      { parts: ['readme', 'templates'] },
      { code: 3, reason: 'INVALID_REQUEST', message: /"templates" is none of readme, values, schema/ },
    ],
    [
      'an archive with another digest',
      { name: 'lies' },
      { code: 3, reason: 'INVALID_REQUEST', message: /^stable\/lies: .*digest is not the one/ },
    ],
    [
      'an address that is refused',
      { name: 'outside' },
      { code: 3, reason: 'INVALID_REQUEST', message: /^stable\/outside: .*169\.254\.169\.254/ },
    ],
  ];
  for (const [title, given, error] of wrong) test(title, () => assert.rejects(get(given), error));
});

test('an index of 20,000 charts is asked for once; bench/charts.ts times lookups in it', async () => {
  const one = (index: number) =>
    `  chart-${index}:\n  - {name: chart-${index}, version: 1.0.0, urls: [web-1.0.0.tgz]}\n`;
  const entries = Array.from({ length: 20_000 }, (_, index) => one(index)).join('');
  answer = ({ url }, response) =>
    url === '/repo/index.yaml' && Boolean(response.end(`apiVersion: v1\nentries:\n${entries}`));
  assert.equal((await charts.catalogue.search({ ...query, limit: 3 }, noSignal)).total, 20_000);
  for (const index of [0, 10_000, 19_999]) assert.equal(await versionOf(`stable/chart-${index}`), '1.0.0');
  assert.equal(server.requests.filter(({ url }) => url === '/repo/index.yaml').length, 1);
});
