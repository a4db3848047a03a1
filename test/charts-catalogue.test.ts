/** The catalogue over REST, gRPC's messages aside: versions, parts, icons, and how mistakes are answered. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeChart } from './charts/make-archive.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="ran"</script></svg>';
const html = '<!doctype html><script>document.title="ran"</script>';

let server: TestServer;
let gateway: TestGateway;

const chart = (name: string, more: Record<string, string | Buffer> = {}, yaml = '') =>
  makeChart({ 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0+a\n${yaml}`, ...more });

const archives: Record<string, Buffer> = {
  web: chart('web', { 'README.md': '# Ü\n', 'values.yaml': 'a: 1\n', 'values.schema.json': '{}' }),
  broken: Buffer.from('no archive'),
  local: chart('local', { 'logo.svg': svg }, 'icon: logo.svg\n'),
  large: chart('large', { 'README.md': 'x'.repeat(21 * 1024 * 1024) }),
  noicon: chart('noicon'),
};
const icons: Record<string, [type: string, body: string | Buffer]> = {
  png: ['text/html', png],
  svg: ['image/png', svg],
  html: ['image/png', html],
  huge: ['image/png', Buffer.concat([png, Buffer.alloc(2 ** 20)])],
};

function indexYaml(): string {
  const entry = (name: string, archive: string, icon = '') =>
    `  ${name}:\n  - {name: ${name}, version: 1.0.0+a, urls: [${archive}.tgz], keywords: [one], deprecated: true${icon && `, icon: "${icon}"`}}\n`;
  const texts = Object.keys(archives).map(name => entry(name, name, name === 'local' ? 'logo.svg' : ''));
  for (const name of Object.keys(icons))
    texts.push(entry(`icon-${name}`, 'noicon', `${server.url}/icons/${name}`));
  texts.push(entry('icon-gone', 'noicon', `${server.url}/icons/gone`));
  texts.push(entry('icon-moved', 'noicon', `${server.url}/icons/moved`));
  texts.push(entry('icon-metadata', 'noicon', 'http://169.254.169.254/icon.png'));
  texts.push(entry('icon-data', 'noicon', `data:text/html;base64,${png.toString('base64')}`));
  return `apiVersion: v1\nentries:\n${texts.join('')}`;
}

before(async () => {
  server = await startServer(({ url = '' }, response) => {
    const [, folder, file = ''] = url.split('/');
    if (url === '/repo/index.yaml') return void response.end(indexYaml());
    if (folder === 'repo') return void response.end(archives[file.replace('.tgz', '')]);
    if (file === 'moved') return void response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    const [type, body] = icons[file] ?? [];
    if (type) return void response.setHeader('content-type', type).end(body);
    response.writeHead(404).end();
  });
  // nothing listens there: charts need no Tiller
  gateway = await startTestGateway('127.0.0.1:1', {
    charts: { allowLoopback: true, repositories: [`stable=${server.url}/repo`] },
  });
});
after(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const get = (path: string) => fetch(`${gateway.url}/tiller/v2/charts/${path}`);

test('versions and search say what the index says, deprecation and keywords too', async () => {
  const wanted = {
    repo: 'stable',
    name: 'web',
    version: '1.0.0+a',
    urls: ['web.tgz'],
    keywords: ['one'],
    deprecated: true,
  };
  const versions = await get('stable/web/json');
  assert.deepEqual(await versions.json(), { count: '1', total: '1', charts: [wanted] });
  const search = await get('json?query=WEB');
  assert.deepEqual(await search.json(), { count: '1', total: '1', charts: [wanted] });
});

test('parts of a chart, by the parameters of the query', async () => {
  const whole = (await (await get('stable/web/1.0.0%2Ba/json')).json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(whole), ['summary', 'readme', 'values', 'schema', 'chart']);
  assert.deepEqual(whole.chart, { apiVersion: 'v2', name: 'web', version: '1.0.0+a' });
  assert.equal(whole.readme, '# Ü\n');
  const some = await get('stable/web/%5E1/json?parts=files&parts=schema');
  const { files, ...rest } = (await some.json()) as { files: { name: string }[] } & Record<string, unknown>;
  assert.deepEqual(Object.keys(rest), ['summary', 'schema']);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['Chart.yaml', 'README.md', 'values.yaml', 'values.schema.json'],
  );
});

describe('an icon', () => {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
  const cases: [chart: string, type: string, body: string | Buffer][] = [
    ['icon-png', 'image/png', png],
    ['icon-svg', 'image/svg+xml', svg],
    ['icon-data', 'image/png', png],
    ['local', 'image/svg+xml', svg],
  ];
  for (const [name, type, body] of cases) {
    test(`${name} is sent as what its bytes are, and can run nothing`, async () => {
      const response = await get(`stable/${name}/1.0.0%2Ba/icon`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), type);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(response.headers.get('content-security-policy'), policy);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(body as string));
      const json = await get(`stable/${name}/*/icon/json`);
      assert.deepEqual(await json.json(), { type, data: Buffer.from(body as string).toString('base64') });
    });
  }
  test('is a part as well', async () => {
    const { icon } = (await (await get('stable/local/*/json?parts=icon')).json()) as { icon: unknown };
    assert.deepEqual(icon, { type: 'image/svg+xml', data: Buffer.from(svg).toString('base64') });
  });
  test('HEAD says how long it is', async () => {
    const response = await fetch(`${gateway.url}/tiller/v2/charts/stable/icon-png/*/icon`, {
      method: 'HEAD',
    });
    assert.equal(response.headers.get('content-length'), String(png.length));
  });
});

describe('what cannot be had', () => {
  const notFound = (reason: string) => [404, 5, reason] as const;
  const invalid = (reason = 'INVALID_REQUEST') => [400, 3, reason] as const;
  const cases: [path: string, expected: readonly [number, number, string], message: RegExp][] = [
    ['nope/web/json', notFound('REPOSITORY_NOT_FOUND'), /no chart repository named "nope"/],
    ['nope/web/1.0.0/json', notFound('REPOSITORY_NOT_FOUND'), /no chart repository named "nope"/],
    ['nope/web/1.0.0/icon', notFound('REPOSITORY_NOT_FOUND'), /no chart repository named "nope"/],
    ['stable/nope/json', notFound('CHART_NOT_FOUND'), /no chart named "nope" in the repository stable/],
    ['stable/nope/1.0.0/json', notFound('CHART_NOT_FOUND'), /no version "1.0.0" of a chart named "nope"/],
    ['stable/web/2.0.0/json', notFound('CHART_NOT_FOUND'), /no version "2.0.0" of a chart named "web"/],
    ['stable/web/2.0.0/icon', notFound('CHART_NOT_FOUND'), /no version "2.0.0" of a chart named "web"/],
    ['stable/web/x%20y/json', invalid(), /not a version or a range of versions: "x y"/],
    ['stable/a%2Fb/json', notFound('NOT_FOUND'), /nothing is at/],
    ['stable/%ff/json', notFound('NOT_FOUND'), /nothing is at/],
    ['stable/__proto__/json', notFound('CHART_NOT_FOUND'), /"__proto__"/],
    ['json?repo=nope', invalid(), /no chart repository named "nope"/],
    ['stable/web/json?limit=-1', invalid(), /limit must not be negative/],
    ['stable/web/json?limit=x', invalid(), /limit: expected a whole number/],
    ['stable/web/json?offset=x', invalid(), /offset "x" not found/],
    ['stable/web/*/json?parts=templates', invalid(), /"templates" is none of readme/],
    ['stable/broken/*/json', invalid('CHART_INVALID'), /does not appear to be a gzipped archive/],
    ['stable/large/*/json', [429, 8, 'LIMIT_EXCEEDED'], /larger than 20971520 bytes: ask for fewer/],
    ['stable/noicon/*/icon', notFound('NOT_FOUND'), /^the icon of stable\/noicon: .*names no icon/],
    ['stable/noicon/*/json?parts=icon', notFound('NOT_FOUND'), /names no icon/],
    ['stable/icon-html/*/icon', invalid('CHART_INVALID'), /^the icon of stable\/icon-html: is no picture/],
    ['stable/icon-huge/*/icon', invalid(), /is larger than 1048576 bytes/],
    ['stable/icon-gone/*/icon', invalid(), /the server answered 404/],
    ['stable/icon-metadata/*/icon', invalid(), /169\.254\.169\.254/],
    ['stable/icon-moved/*/icon', invalid(), /169\.254\.169\.254/],
  ];
  for (const [path, [status, code, reason], message] of cases) {
    test(path, async () => {
      const response = await get(path);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
      const body = (await response.json()) as { code: number; reason: string; message: string };
      assert.deepEqual([response.status, body.code, body.reason], [status, code, reason], body.message);
      assert.match(body.message, message);
    });
  }
});
