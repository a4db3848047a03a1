import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { ChartOptions } from '../src/charts/chart/chart-options.ts';
import type { Charts } from '../src/charts/index.ts';
import { decodeMessage } from '../src/codec/index.ts';
import { chartRequest, type Given, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { digestOf, OciRegistry, types } from './charts/oci-registry.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { createAuthority } from './support/certificates.ts';
import { createTestCharts } from './support/test-charts.ts';

const robot = { username: 'robot$team+ci', password: 'rob0t-s3cret' };
const folder = mkdtempSync(join(tmpdir(), 'charts-oci-'));
const versions = ['1.0.0', '1.2.0', '1.10.0', '2.0.0-rc.1', '1.2.0_build.7'];

let registry: OciRegistry;
let server: TestServer;
let storage: TestServer;
let charts: Charts;
let host: string;
let seen = 0;
let seenByStorage = 0;

const archive = (version: string) => makeChart({ 'Chart.yaml': `name: web\nversion: ${version}` });

before(async () => {
  server = await startServer((request, response) => registry.answer(request, response));
  storage = await startServer((request, response) => {
    const digest = /sha256:[0-9a-f]+/.exec(request.url ?? '')?.[0] ?? '';
    response.end(registry.blobs.get(digest));
  });
  host = `127.0.0.1:${server.port}`;
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await storage[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  registry = new OciRegistry(robot.username, robot.password);
  for (const tag of ['latest', ...versions])
    registry.addChart('team/web', tag, archive(tag.replace('_', '+')));
  charts = open();
  seen = server.requests.length;
  seenByStorage = storage.requests.length;
});
afterEach(() => charts.close());

function open(given: Partial<ChartOptions> = {}): Charts {
  return createTestCharts({ allowLoopback: true, timeoutMs: 20_000, ...given });
}

async function versionOf(path: string, given: Given = {}): Promise<string | undefined> {
  const chartUrl = path.startsWith('oci:') ? path : `oci://${host}/${path}`;
  const { chart } = await charts.resolve(chartRequest({ chartUrl, ...given }), noSignal);
  return decodeMessage('hapi.chart.Chart', chart).metadata?.version;
}

const asked = () =>
  server.requests.slice(seen).map(({ url, headers }) => [url, headers.authorization] as const);
const paths = () => asked().map(([url]) => url?.replace('/v2/team/web/', '').replace(/sha256:\w+/, 'DIGEST'));

describe('a chart of a registry', () => {
  const wanted: [string, string][] = [
    ['team/web:1.2.0', '1.2.0'],
    ['team/web:1.2.0+build.7', '1.2.0+build.7'],
    ['team/web', '1.10.0'],
    ['team/web:~1.2', '1.2.0'],
    ['team/web:1.x', '1.10.0'],
    ['team/web:1.2.x', '1.2.0'],
    ['team/web:1', '1.10.0'],
    ['team/web:>1.10.0-0', '2.0.0-rc.1'],
    ['team/web:2.0.0-rc.1', '2.0.0-rc.1'],
  ];
  for (const [path, version] of wanted) {
    test(path, async () =>
      assert.match((await versionOf(path)) ?? '', new RegExp(`^${version.replace('+', '.')}`)),
    );
  }

  test('by a tag that could be a range, where there is one', async () => {
    registry.addChart('team/web', '1.x', archive('0.0.1'));
    registry.addChart('team/web', '2024', archive('0.0.2'));
    assert.equal(await versionOf('team/web:1.x'), '0.0.1');
    assert.equal(await versionOf('team/web'), '1.10.0');
  });

  test('by the digest of its manifest, with a tag and without one', async () => {
    const digest = registry.addChart('team/web', '3.0.0', archive('3.0.0'));
    assert.equal(await versionOf(`team/web@${digest}`), '3.0.0');
    assert.equal(await versionOf(`team/web:1.0.0@${digest}`), '3.0.0');
  });

  test('takes a request for the manifest and one for the archive, which is kept', async () => {
    await versionOf('team/web:1.0.0');
    await versionOf('team/web:1.0.0');
    assert.deepEqual(paths(), ['manifests/1.0.0', 'blobs/DIGEST', 'manifests/1.0.0']);
  });

  test('of an index, by what its manifests say they are', async () => {
    const digest = registry.addChart('team/web', '4.0.0', archive('4.0.0'));
    const other = registry.addManifest('team/web', undefined, { layers: [] });
    const chart = { mediaType: types.manifest, digest, size: 1, artifactType: types.config };
    const image = { mediaType: types.manifest, digest: other, size: 1 };
    registry.addManifest('team/web', 'both', { manifests: [image, chart] });
    registry.addManifest('team/web', 'one', { manifests: [{ ...chart, artifactType: undefined }] });
    assert.deepEqual([await versionOf('team/web:both'), await versionOf('team/web:one')], ['4.0.0', '4.0.0']);
  });

  test('of the first Helm 3', async () => {
    registry.addChart('old', '1.0.0', archive('1.0.0'), { chartType: 'application/tar+gzip' });
    assert.equal(await versionOf('old:1.0.0'), '1.0.0');
  });

  test('with tags on many pages', async () => {
    registry.pageSize = 2;
    assert.equal(await versionOf('team/web'), '1.10.0');
    assert.equal(paths().filter(path => path?.startsWith('tags')).length, 3);
  });

  test('that a repository names by its URL', async () => {
    await using repository = await startServer((_request, response) => {
      const entry = `{name: web, version: 1.2.0, urls: ["oci://${host}/team/web:1.2.0"]}`;
      response.end(`apiVersion: v1\nentries: {web: [${entry}]}`);
    });
    await charts.close();
    charts = open({ repositories: [`stable=${repository.url}`] });
    const { chart } = await charts.resolve(chartRequest({ chartUrl: 'stable/web' }), noSignal);
    assert.equal(decodeMessage('hapi.chart.Chart', chart).metadata?.version, '1.2.0');
  });

  test('with the provenance file that lies beside it', async () => {
    const provenanceFolder = new URL('./charts/provenance/', import.meta.url);
    const read = (name: string) => readFileSync(new URL(name, provenanceFolder));
    const provenance = read('sha1-0.1.0.tgz.prov');
    registry.addChart('signed/sha1', '0.1.0', read('sha1-0.1.0.tgz'), { provenance });
    await charts.close();
    charts = open({ keyring: new URL('pub2.gpg', provenanceFolder).pathname });
    assert.equal(await versionOf('signed/sha1:0.1.0', { verify: true }), '0.1.0');
    await refused('team/web:1.0.0', 3, /has no provenance file/, { verify: true });
  });
});

describe('authentication', () => {
  test('by a token, which is asked for once', async () => {
    registry.authentication = 'bearer';
    await versionOf('team/web:1.0.0', robot);
    await versionOf('team/web:1.2.0', robot);
    const token = `/service/token?service=harbor-registry&scope=${encodeURIComponent('repository:team/web:pull')}`;
    assert.deepEqual(
      asked().map(([url, authorization]) => [url?.replace(/sha256:\w+/, 'DIGEST'), authorization]),
      [
        ['/v2/team/web/manifests/1.0.0', undefined],
        [token, registry.account],
        ['/v2/team/web/manifests/1.0.0', 'Bearer token-0'],
        ['/v2/team/web/blobs/DIGEST', 'Bearer token-0'],
        ['/v2/team/web/manifests/1.2.0', 'Bearer token-0'],
        ['/v2/team/web/blobs/DIGEST', 'Bearer token-0'],
      ],
    );
  });

  test('anew where a token is accepted no more', async () => {
    registry.authentication = 'bearer';
    await versionOf('team/web:1.0.0', robot);
    registry.tokens.delete('token-0');
    assert.equal(await versionOf('team/web:1.2.0', robot), '1.2.0');
  });

  test('by name and password, where the registry wants them itself', async () => {
    registry.authentication = 'basic';
    await versionOf('team/web:1.0.0', robot);
    assert.deepEqual(
      asked().map(([, authorization]) => authorization),
      [undefined, registry.account, registry.account],
    );
  });

  test('by a token of the caller', async () => {
    registry.authentication = 'bearer';
    registry.tokens.add('own');
    await versionOf('team/web:1.0.0', { token: 'own' });
    assert.deepEqual(paths(), ['manifests/1.0.0', 'blobs/DIGEST']);
    await refused('team/web:1.0.0', 3, /the registry answered 401/, { token: 'other' });
  });

  const sources: [string, () => Partial<ChartOptions>][] = [
    ['the list of registries', () => ({ registries: [{ host, credentials: robot }] })],
    [
      'the credentials file',
      () => {
        const file = join(folder, 'credentials.yaml');
        writeFileSync(file, `"oci://${host}": {username: robot$team+ci, password: rob0t-s3cret}\n`);
        return { repositoryCredentialsFile: file };
      },
    ],
  ];
  for (const [title, options] of sources) {
    test(`with credentials of ${title}, which those of the request replace`, async () => {
      registry.authentication = 'bearer';
      await charts.close();
      charts = open(options());
      assert.equal(await versionOf('team/web:1.0.0'), '1.0.0');
      await refused('team/web:1.0.0', 3, /the token service answered 401/, { username: 'a', password: 'b' });
    });
  }

  test('that is wrong, or missing', async () => {
    registry.authentication = 'bearer';
    await refused('team/web:1.0.0', 3, /token service answered 401/, { ...robot, password: 'wr0ng' });
    await refused('team/web:1.0.0', 3, /the registry answered 401/);
    registry.authentication = 'basic';
    await refused('team/web:1.0.0', 3, /the registry answered 401/, { ...robot, password: 'wr0ng' });
    await refused('team/web:1.0.0', 3, /the registry answered 401/);
  });

  test('what one caller may have is not for another', async () => {
    registry.authentication = 'bearer';
    await versionOf('team/web:1.0.0', robot);
    await refused('team/web:1.0.0', 3, /the registry answered 401/);
  });

  test('does not go along to where blobs are', async () => {
    registry.authentication = 'bearer';
    registry.blobsAt = storage.url;
    assert.equal(await versionOf('team/web:1.0.0', robot), '1.0.0');
    const [blob, ...others] = storage.requests.slice(seenByStorage);
    assert.equal(others.length, 0);
    assert.match(blob?.url ?? '', /^\/sha256:\w+\?signature=s$/);
    assert.equal(blob?.headers.authorization, undefined);
  });
});

describe('a registry with TLS', () => {
  const authority = createAuthority('oci tests');
  const caBundle = Buffer.from(authority.ca);
  const keys = authority.issue('localhost');
  let secure: TestServer;
  before(async () => {
    secure = await startServer((request, response) => registry.answer(request, response), keys);
  });
  after(() => secure[Symbol.asyncDispose]());
  const place = () => `oci://localhost:${secure.port}/team/web:1.0.0`;

  test('is verified, by the certificates that are given', async () => {
    registry.authentication = 'bearer';
    registry.challenge = 'Bearer realm="https://HOST/service/token",service="s"';
    assert.equal(await versionOf(place(), { ...robot, caBundle }), '1.0.0');
    const other = Buffer.from(createAuthority('other').ca);
    await refused(place(), 14, /cannot be reached/, { ...robot, caBundle: other });
    assert.equal(await versionOf(place(), { ...robot, insecureSkipVerify: true }), '1.0.0');
  });

  test('names no token service without TLS', async () => {
    registry.authentication = 'bearer';
    registry.challenge = `Bearer realm="http://${host}/service/token",service="s"`;
    await refused(place(), 3, /not reached by https/, { ...robot, caBundle });
    assert.equal(server.requests.length, seen);
  });
});

type Hook = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Answers what has this in its path. */
function at(part: string, answer: (response: ServerResponse, request: IncomingMessage) => unknown): Hook {
  return (request, response) => {
    if (!request.url?.includes(part)) return false;
    answer(response, request);
    return true;
  };
}
const body = (part: string, given: string | Buffer, headers = {}): Hook =>
  at(part, response => response.writeHead(200, headers).end(given));
const manifest = (json: unknown): Hook => body('/manifests/', JSON.stringify(json));
const descriptor = (given: object) => ({
  mediaType: types.chart,
  digest: digestOf(Buffer.of()),
  size: 1,
  ...given,
});
const config = descriptor({ mediaType: types.config });
const challenge = (header: string): Hook =>
  at('/manifests/', response => response.writeHead(401, { 'www-authenticate': header }).end());
const realm = (url: string) => challenge(`Bearer realm="${url}",service="s"`);
const token = (answer: (response: ServerResponse) => unknown): Hook => {
  const ask = at('/manifests/', (response, { headers }) =>
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end(),
  );
  const give = at('/token', answer);
  return (request, response) => give(request, response) || ask(request, response);
};

async function refused(path: string, code: number, message: RegExp, given: Given = {}): Promise<void> {
  await assert.rejects(versionOf(path, given), (error: Error & { code: number }) => {
    assert.equal(error.name, 'GatewayError', error.stack);
    assert.match(error.message, message);
    assert.equal(error.code, code);
    return !/s3cret|wr0ng|robot/.test(error.message);
  });
}

describe('a registry that means ill', () => {
  const cases: [string, Hook, RegExp, number?][] = [
    [
      'a token service at a metadata address',
      realm('http://169.254.169.254/token'),
      /169\.254\.169\.254 are refused/,
    ],
    ['one by its name', realm('https://metadata.google.internal/t'), /metadata service/],
    ['one at a mapped address', realm('http://[::ffff:169.254.169.254]/'), /are refused/],
    ['one by file', realm('file:///etc/passwd'), /not reached by https/],
    ['one that is no URL', realm('token'), /no URL/],
    ['one with user info', realm('https://a:b@auth.example/'), /user info/],
    ['one of endless length', realm(`https://a.example/${'a'.repeat(3000)}`), /no URL/],
    ['a challenge without a service', challenge('Bearer'), /no URL/],
    ['a challenge of another kind', challenge('Negotiate'), /answered 401/],
    ['a challenge of garbage', challenge('"\\"=,,=""'), /answered 401/],
    [
      'a token service that redirects',
      token(r => r.writeHead(302, { location: '/token' }).end()),
      /redirects more than 0/,
    ],
    ['a token with a line break', token(r => r.end('{"token":"a\\r\\nx: y"}')), /without a token/],
    ['no token', token(r => r.end('{}')), /without a token/],
    ['a token of another type', token(r => r.end('{"token":{}}')), /without a token/],
    ['a token of garbage', token(r => r.end('<html>')), /no JSON object/],
    ['a token without end', token(r => r.end('x'.repeat(100_000))), /larger than 65536/],
    ['a token service that fails', token(r => r.writeHead(503).end()), /answered 503/, 14],
    [
      'a token that is not accepted',
      token(r => r.end('{"access_token":"t","expires_in":-1}')),
      /registry answered 401/,
    ],

    [
      'redirects in a circle',
      at('/', r => r.writeHead(307, { location: '/' }).end()),
      /redirects more than 5/,
    ],
    [
      'a redirect to a metadata address',
      at('/blobs/', r => r.writeHead(302, { location: 'http://169.254.169.254/' }).end()),
      /are refused/,
    ],
    [
      'a redirect to a file',
      at('/blobs/', r => r.writeHead(302, { location: 'file:///etc/passwd' }).end()),
      /no http\(s\) URL/,
    ],

    ['a manifest without end', body('/manifests/', 'x'.repeat(2_000_000)), /larger than 1048576/],
    ['100,000 layers', manifest({ config, layers: Array(100_000).fill(0) }), /more than 100 layers/],
    [
      '100,000 whole layers',
      manifest({ config, layers: Array(100_000).fill(config) }),
      /larger than 1048576/,
    ],
    ['100,000 manifests', manifest({ manifests: Array(100_000).fill(0) }), /more than 100/],
    ['deep nesting', body('/manifests/', '['.repeat(1_000_000)), /no JSON object/],
    ['half of it', body('/manifests/', '{"layers":['), /no JSON object/],
    ['a page', body('/manifests/', '<html>'), /no JSON object/],
    ['null', body('/manifests/', 'null'), /no JSON object/],
    ['a list', body('/manifests/', '[]'), /no JSON object/],
    ['what is no UTF-8', body('/manifests/', Buffer.from([0x7b, 0xff, 0x7d])), /no JSON object/],
    ['an object', manifest({}), /neither a manifest nor an index/],
    [
      'another digest',
      body('/manifests/', '{}', { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
      /not the one that the registry names/,
    ],

    ['an image', manifest({ config: { ...config, mediaType: 'image' }, layers: [] }), /is no Helm chart/],
    ['no config', manifest({ layers: [] }), /names a digest that is not/],
    ['no layer', manifest({ config, layers: [] }), /0 layers/],
    ['two charts', manifest({ config, layers: [descriptor({}), descriptor({})] }), /2 layers/],
    ['a layer of text', manifest({ config, layers: ['x'] }), /names a digest/],
    [
      'a digest that is a path',
      manifest({ config, layers: [descriptor({ digest: 'sha256:../../x' })] }),
      /names a digest/,
    ],
    ['a size below zero', manifest({ config, layers: [descriptor({ size: -1 })] }), /names a size/],
    ['a size of text', manifest({ config, layers: [descriptor({ size: '1' })] }), /names a size/],
    [
      'a size that is no integer',
      manifest({ config, layers: [descriptor({ size: 1e300 })] }),
      /names a size/,
    ],
    ['a large chart', manifest({ config, layers: [descriptor({ size: 2 ** 40 })] }), /larger than 20971520/],
    ['a layer that is not there', manifest({ config, layers: [descriptor({})] }), /answered 404/],
    [
      'an index of images',
      manifest({ manifests: [descriptor({}), descriptor({})] }),
      /no manifest is a Helm chart/,
    ],
    ['an empty index', manifest({ manifests: [] }), /no manifest is a Helm chart/],
    [
      'a manifest of an index that is another',
      manifest({ manifests: [descriptor({})] }),
      /not the one that is asked for/,
    ],

    [
      'another blob',
      body('/blobs/', Buffer.alloc(archive('1.0.0').length)),
      /digest is not the one in the registry's manifest/,
    ],
    ['a longer blob', body('/blobs/', Buffer.alloc(1_000_000)), /larger than/],
    ['an empty blob', body('/blobs/', ''), /digest is not the one/],
    ['a failure', at('/', r => r.writeHead(500).end()), /answered 500/, 14],
    ['a cut connection', at('/', r => r.destroy()), /cannot be reached/, 14],
    [
      'headers without end',
      at('/', r => r.writeHead(401, { 'www-authenticate': 'x'.repeat(30_000) }).end()),
      /cannot be reached/,
      14,
    ],
  ];
  for (const [title, hook, message, code = 3] of cases) {
    test(title, async () => {
      registry.hook = hook;
      await refused('team/web:1.0.0', code, message, robot);
      const secrets = server.requests.slice(seen).filter(({ headers }) => headers.authorization);
      // only the token service has been given the account
      for (const { url } of secrets) assert.match(url ?? '', /\/token|\/manifests\//);
    });
  }

  const tags: [string, Hook, RegExp][] = [
    ['tags of garbage', body('/tags/', '[1'), /no JSON object/],
    ['tags that are no list', body('/tags/', '{"tags":{}}'), /no list of tags/],
    ['none', body('/tags/', '{"tags":null}'), /no tag that matches/],
    ['tags of no text', body('/tags/', '{"tags":[1,null,{}]}'), /no tag that matches/],
    [
      'more than 10,000',
      body('/tags/', JSON.stringify({ tags: Array(10_001).fill('1.0.0') })),
      /more than 10000 tags/,
    ],
    [
      'pages without end',
      body('/tags/', '{"tags":["1.0.0"]}', { link: '</v2/team/web/tags/list?last=a>; rel="next"' }),
      /more than 10000 tags/,
    ],
    [
      'a next page of another host',
      body('/tags/', '{}', { link: '<http://evil.example/v2/team/web/tags/list>; rel=next' }),
      /not below the repository/,
    ],
    [
      'a next page of another repository',
      body('/tags/', '{}', { link: '</v2/other/tags/list>; rel="next"' }),
      /not below the repository/,
    ],
    ['a tag that is a path', body('/tags/', '{"tags":["1.0.0/../../x"]}'), /no tag that matches/],
  ];
  for (const [title, hook, message] of tags) {
    test(title, async () => {
      registry.hook = hook;
      await refused('team/web', 3, message);
    });
  }

  test('answers never', async () => {
    await charts.close();
    charts = open({ timeoutMs: 200 });
    registry.hook = () => true;
    await refused('team/web:1.0.0', 14, /took longer than 200 ms/);
  });

  test('a caller who leaves ends it', async () => {
    const caller = new AbortController();
    registry.hook = () => {
      caller.abort(new Error('gone'));
      return true;
    };
    const request = chartRequest({ chartUrl: `oci://${host}/team/web:1.0.0` });
    await assert.rejects(charts.resolve(request, caller.signal), { code: 1 });
  });
});

describe('a reference that is refused before anything is asked', () => {
  const cases: [string, RegExp][] = [
    ['oci://robot:s3cret@a.example/web:1.0.0', /user info/],
    ['oci://169.254.169.254/web:1.0.0', /are refused/],
    ['oci://metadata.google.internal/web:1.0.0', /are refused/],
    ['oci://a.example/Web:1.0.0', /no repository/],
    ['oci://a.example', /no oci:\/\/HOST/],
  ];
  for (const [url, message] of cases) test(url.replace('s3cret', '…'), () => refused(url, 3, message));

  test('loopback without leave', async () => {
    await charts.close();
    charts = open({ allowLoopback: false });
    await refused('team/web:1.0.0', 3, /127\.0\.0\.1 are refused/);
    assert.equal(server.requests.length, seen);
  });
  test('a registry of the configuration that is no host', () =>
    assert.throws(() => open({ registries: [{ host: 'https://x/', credentials: {} }] }), { code: 3 }));
});
