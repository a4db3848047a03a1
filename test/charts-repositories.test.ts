import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ChartOptions, Charts } from '../src/charts/index.ts';
import { noSignal } from './charts/charts-request.ts';
import { sendWithEtag, startServer, type TestServer } from './charts/repository-server.ts';
import { createTestCharts } from './support/test-charts.ts';

const index =
  'apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [a]}, {version: 0.9.0, urls: [a]}]}';
const folder = mkdtempSync(join(tmpdir(), 'chart-repositories-'));
const file = join(folder, 'repositories.yaml');

let server: TestServer;
let charts: Charts;
let answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;

before(async () => {
  server = await startServer((request, response) => {
    if (answer?.(request, response)) return;
    if (request.url?.startsWith('/none/')) response.writeHead(404).end();
    else sendWithEtag(request, response, Buffer.from(index));
  });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  answer = undefined;
  charts = open();
});
afterEach(() => charts.close());

function open(given: Partial<ChartOptions> = {}): Charts {
  return createTestCharts({ allowLoopback: true, repositories: [`flag=${server.url}/flag`], ...given });
}

interface Given {
  readonly name?: string;
  readonly url?: string;
  readonly validate?: boolean;
  readonly credentials?: Record<string, unknown>;
}

function add({
  name = 'added',
  url = `${server.url}/added`,
  validate = false,
  credentials = {},
}: Given = {}) {
  return charts.repositories.add({ name, url, validate, credentials }, noSignal);
}

const names = async () => (await charts.repositories.list()).map(({ name, origin }) => `${name} ${origin}`);
const asked = (path: string) => server.requests.filter(({ url }) => url?.startsWith(path));

describe('what is added', () => {
  test('is listed behind those of the configuration, and can be searched', async () => {
    const { refreshed, ...summary } = await add();
    assert.deepEqual(summary, {
      name: 'added',
      url: `${server.url}/added`,
      origin: 'memory',
      charts: 0,
      versions: 0,
      error: '',
    });
    assert.equal(refreshed, undefined);
    assert.deepEqual(await names(), ['flag flag', 'added memory']);
    const query = {
      query: '',
      repo: 'added',
      version: '',
      all_versions: true,
      limit: 0,
      offset: '',
      regexp: false,
    };
    assert.equal((await charts.catalogue.search(query, noSignal)).total, 2);
    const [, after] = await charts.repositories.list();
    assert.deepEqual([after?.charts, after?.versions], [1, 2]);
    assert.ok(after?.refreshed instanceof Date);
  });

  test('survives in the file, and other gateways see it', async () => {
    await charts.close();
    charts = open({ repositoryFile: file });
    const other = open({ repositoryFile: file });
    await add({ credentials: { password: 'p', username: 'u' } });
    assert.equal((await other.repositories.list())[1]?.origin, 'file');
    await other.repositories.remove('added');
    assert.deepEqual(await names(), ['flag flag']);
    await other.close();
  });

  const same: [string, Given][] = [
    ['the same', {}],
    ['the same with credentials', { credentials: { token: 't' } }],
    ['one of the configuration', { name: 'flag', url: 'FLAG' }],
  ];
  for (const [title, given] of same) {
    test(`twice is no error: ${title}`, async () => {
      const wanted = given.url ? { ...given, url: `${server.url}/flag` } : given;
      await add(wanted);
      const before = await names();
      await add(wanted);
      assert.deepEqual(await names(), before);
    });
  }

  const others: [string, Given][] = [
    ['another URL', { url: 'https://charts.example' }],
    ['other credentials', { credentials: { token: 'other' } }],
    ['no credentials', {}],
    ['one of the configuration', { name: 'flag' }],
  ];
  for (const [title, given] of others) {
    test(`has its name for itself: ${title}`, async () => {
      await add({ credentials: { token: 't' } });
      await assert.rejects(add(given), { code: 6, reason: 'REPOSITORY_EXISTS' });
    });
  }
});

describe('what cannot be added', () => {
  const cases: [string, Given, number, RegExp][] = [
    ['no name', { name: '' }, 3, /name must be letters/],
    ['a slash', { name: 'a/b' }, 3, /name must be letters/],
    ['dots alone', { name: '..' }, 3, /name must be letters/],
    ['a line break', { name: 'a\nb' }, 3, /name must be letters/],
    ['a long name', { name: 'a'.repeat(101) }, 3, /at most 100 characters/],
    ['a reserved name', { name: 'uploads' }, 3, /may be called uploads/],
    ['no URL', { url: '' }, 3, /cannot be read/],
    ['a file', { url: 'file:///etc' }, 3, /http: and https: only/],
    ['a registry', { url: 'oci://x/y' }, 3, /http: and https: only/],
    ['a long URL', { url: `https://x/${'a'.repeat(2048)}` }, 3, /longer than 2048/],
    ['user info', { url: 'https://u:s3cret@x' }, 3, /fields of their own/],
    ['metadata', { url: 'http://169.254.169.254/charts' }, 3, /169\.254\.169\.254 are refused/],
    ['metadata by name', { url: 'http://metadata.google.internal' }, 3, /are refused/],
    ['mapped metadata', { url: 'http://[::ffff:a9fe:a9fe]/' }, 3, /are refused/],
    ['two kinds of credentials', { credentials: { token: 's3cret', username: 'u' } }, 3, /give one of/],
    ['a long password', { credentials: { password: 's3cret'.repeat(2000) } }, 3, /password is longer/],
    ['a large bundle', { credentials: { caBundle: Buffer.alloc(65537, 's') } }, 3, /caBundle is larger/],
    ['a bundle of nothing', { credentials: { caBundle: Buffer.from('s3cret') } }, 3, /no PEM certificate/],
    ['a key alone', { credentials: { clientKey: Buffer.from('s3cret') } }, 3, /belong together/],
    ['no index', { url: 'NONE', validate: true }, 3, /answered 404/],
  ];
  for (const [title, given, code, message] of cases) {
    test(title, async () => {
      const wanted = given.url === 'NONE' ? { ...given, url: `${server.url}/none/` } : given;
      await assert.rejects(add(wanted), (error: Error & { code: number }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return !error.message.includes('s3cret');
      });
      assert.deepEqual(await names(), ['flag flag']);
    });
  }

  test('an unknown host', async () => {
    await charts.close();
    const resolveHost = () => Promise.reject(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }));
    charts = open({ resolveHost });
    const unknown = add({ url: 'http://nobody.example' });
    await assert.rejects(unknown, { code: 14, message: /nobody\.example\/: cannot be reached: ENOTFOUND/ });
  });

  test('more than 200', async () => {
    for (let number = 0; number < 200; number++) await add({ name: `r${number}` });
    await assert.rejects(add(), { code: 8, message: /at most 200/ });
    await charts.repositories.remove('r7');
    await add();
  });

  test('a loopback address without leave, also one of a file', async () => {
    await add();
    await charts.close();
    charts = open({ allowLoopback: false });
    await assert.rejects(add(), { code: 3, message: /127\.0\.0\.1 are refused/ });
  });
});

test('a name that leads to a metadata address later is refused when it is asked', async () => {
  await charts.close();
  let address = '10.0.0.1';
  charts = open({ resolveHost: async () => [{ address, family: 4 }] });
  await add({ url: 'http://charts.example' });
  address = '169.254.169.254';
  await assert.rejects(charts.repositories.refresh('added', noSignal), { code: 3, message: /are refused/ });
  const { error, archive } = await charts.repositories.validate('added', noSignal);
  assert.match(error, /charts\.example are refused/);
  assert.equal(archive, undefined);
});

describe('removal', () => {
  test('of one of the configuration is refused', () =>
    assert.rejects(charts.repositories.remove('flag'), { code: 9, message: /flag is set by/ }));
  test('of one that is not there', () =>
    assert.rejects(charts.repositories.remove('none'), { code: 5, reason: 'REPOSITORY_NOT_FOUND' }));
  test('makes room for another of the name', async () => {
    await add();
    await charts.repositories.refresh('added', noSignal);
    await charts.repositories.remove('added');
    assert.deepEqual(await names(), ['flag flag']);
    await assert.rejects(charts.repositories.refresh('added', noSignal), { code: 5 });
    await add({ url: `${server.url}/second` });
  });
});

test('credentials go to the repository, into the file, and come out nowhere', async () => {
  await charts.close();
  charts = open({ repositoryFile: file });
  const secrets = { username: 'robot$team', password: 'pa55' };
  const added = await add({ url: `${server.url}/secret?sig=s1gned`, credentials: secrets });
  await charts.repositories.refresh('added', noSignal);
  const basic = `Basic ${btoa('robot$team:pa55')}`;
  assert.deepEqual(
    asked('/secret').map(({ headers }) => headers.authorization),
    [basic],
  );
  const shown = JSON.stringify([added, await charts.repositories.list()]);
  assert.doesNotMatch(shown, /robot|pa55|s1gned/);
  assert.match(readFileSync(file, 'utf8'), /pa55/);
});

describe('a refresh', () => {
  const held = async () => (await charts.repositories.existing('added')).index(noSignal);

  test('that finds nothing new reads nothing again', async () => {
    await add();
    const before = await held();
    const first = (await charts.repositories.list())[1]?.refreshed;
    const { error, charts: count } = await charts.repositories.refresh('added', noSignal);
    assert.deepEqual([error, count], ['', 1]);
    assert.ok(asked('/added/').at(-1)?.headers['if-none-match']);
    assert.equal(await held(), before);
    assert.ok(((await charts.repositories.list())[1]?.refreshed ?? 0) >= (first ?? 1));
  });

  test('of a server without validators compares what came', async () => {
    await add();
    answer = (_request, response) => Boolean(response.end(index));
    const before = await held();
    await charts.repositories.refresh('added', noSignal);
    assert.equal(await held(), before);
  });

  test('is asked for compressed, and takes it so', async () => {
    answer = ({ headers }, response) => {
      assert.equal(headers['accept-encoding'], 'gzip');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(index));
      return true;
    };
    await add({ validate: true });
    assert.equal((await charts.repositories.refresh('added', noSignal)).versions, 2);
  });

  const bad: [string, Record<string, string>, Buffer, RegExp][] = [
    [
      'a bomb',
      { 'content-encoding': 'gzip' },
      gzipSync(Buffer.alloc(4 * 1024 * 1024)),
      /larger than 1048576/,
    ],
    ['no gzip', { 'content-encoding': 'gzip' }, Buffer.from('text'), /is no gzip/],
    ['another encoding', { 'content-encoding': 'br' }, Buffer.from('text'), /other than gzip/],
    ['too much', {}, Buffer.alloc(2 * 1024 * 1024), /larger than 1048576/],
  ];
  for (const [title, headers, body, message] of bad) {
    test(`that gives ${title} is told, once and in the list`, async () => {
      await charts.close();
      charts = open({ indexMaxBytes: 1024 * 1024 });
      answer = (_request, response) => Boolean(response.writeHead(200, headers).end(body));
      await add();
      await assert.rejects(charts.repositories.refresh('added', noSignal), { code: 3, message });
      assert.match((await charts.repositories.list())[1]?.error ?? '', message);
    });
  }

  test('of all tells of each, and fails for none', async () => {
    await add({ url: `${server.url}/none/` });
    const all = await charts.repositories.refreshAll(noSignal);
    assert.deepEqual(
      all.map(({ name, charts: count, error }) => [name, count, /answered 404/.test(error)]),
      [
        ['flag', 1, false],
        ['added', 0, true],
      ],
    );
  });

  test('ends with its caller, who is no fault of the repository', async () => {
    const caller = new AbortController();
    answer = () => {
      caller.abort(new Error('gone'));
      return true;
    };
    await assert.rejects(charts.repositories.refreshAll(caller.signal), { message: 'gone' });
    assert.deepEqual(
      (await charts.repositories.list()).map(({ error }) => error),
      [''],
    );
  });
});

test('what is known of an index counts for the same credentials alone', async () => {
  const file = join(folder, 'credentials.yaml');
  writeFileSync(file, 'flag: {token: first}\n');
  await charts.close();
  charts = open({ repositoryCredentialsFile: file });
  await charts.repositories.refresh('flag', noSignal);
  writeFileSync(file, 'flag: {token: second}\n');
  await charts.repositories.refresh('flag', noSignal);
  await charts.repositories.refresh('flag', noSignal);
  const validators = asked('/flag')
    .slice(-3)
    .map(({ headers }) => headers['if-none-match'] !== undefined);
  assert.deepEqual(validators, [false, false, true]);
});

test('the index of an added repository is not read whole where it is large', async () => {
  const entry = '{version: 1.0.0, urls: [a]},';
  const large = `apiVersion: v1\nentries: {web: [${entry.repeat((9 * 1024 * 1024) / entry.length)}]}`;
  answer = (_request, response) => Boolean(response.end(large));
  await add();
  await assert.rejects(charts.repositories.refresh('added', noSignal), {
    code: 3,
    message: /more than 8388608 bytes has to be laid out as Helm writes it/,
  });
});

test('all indexes together have a bound, within which the configuration comes first', async () => {
  await charts.close();
  charts = open({ indexesMaxBytes: index.length + 10 });
  await add();
  await charts.repositories.refresh('added', noSignal);
  await charts.repositories.refresh('flag', noSignal);
  assert.equal((await charts.repositories.list())[1]?.charts, 0);
  await assert.rejects(charts.repositories.refresh('added', noSignal), {
    code: 8,
    message: /together|would take/,
  });
  await charts.repositories.refresh('flag', noSignal);
});
