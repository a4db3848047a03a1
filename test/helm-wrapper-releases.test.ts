/** helm-wrapper's routes about releases, each with every outcome, against the sandbox. Contract: docs/helm-wrapper.md. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { type Cell, failed, ok, send, testCells } from './support/helm-wrapper-cells.ts';
import { conformanceFolder } from './support/recording.ts';
import { startGatewayWith, type WholeGateway } from './support/whole-gateway.ts';

const closes: (() => Promise<void>)[] = [];
let gateway: WholeGateway;
let values: TestServer;

before(async () => {
  values = await startServer(({ url }, response) => {
    if (url === '/values.yaml') response.end('greeting: from a URL\n');
    else response.writeHead(404).end();
  });
  gateway = await startGatewayWith({ after: close => closes.push(close) }, [
    '--connector=sandbox',
    '--dialects=helm-wrapper',
    `--chart-dir=${conformanceFolder}/charts`,
    '--chart-allow-loopback',
    '--body-limit=64KiB',
  ]);
});
after(async () => {
  for (const close of closes) await close();
  await values[Symbol.asyncDispose]();
});

const releases = '/api/namespaces/team-a/releases';
const hello = 'chart=hello-0.1.0.tgz';

function element(name: string, more: object = {}) {
  return {
    name,
    namespace: 'team-a',
    revision: '1',
    updated: 'TIME',
    status: 'deployed',
    chart: 'hello',
    chart_version: '0.1.0',
    app_version: '1.0',
    ...more,
  };
}

const hooked = element('hooked', { chart: 'hooks', app_version: '' });

function revision(number: number, status: string, description: string) {
  return { revision: number, updated: 'TIME', status, chart: 'hello-0.1.0', app_version: '1.0', description };
}

function manifest(name: string, message: string, revisionOf = '1') {
  return `\n---\n# Source: hello/templates/configmap.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-hello\n  labels:\n    release: "${name}"\ndata:\n  message: "${message}"\n  cluster: "none"\n  revision: "${revisionOf}"`;
}

const badName = (name: string) =>
  failed(
    `release name "${name}": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53`,
  );

type Short = readonly [name: string, path: string, body: Cell['body'] | undefined, answer: unknown];
const cells = (verb: string, rows: readonly Short[]): Cell[] =>
  rows.map(([name, path, body, answer]) => ({
    name,
    verb,
    path: releases + path,
    ...(body !== undefined && { body }),
    answer,
  }));

const notFound = failed('release: not found');
const noJson = 'the JSON body has something that is not a value (line 1, column 1)';
const noBool = (field: string, of = 'releaseOptions') =>
  failed(`json: cannot unmarshal string into Go struct field ${of}.${field} of type bool`);
const ofHelm3 = (field: string) => failed(`${field} is not supported for releases of Helm 2`);
const serverFile = (field: string) =>
  failed(
    `${field} names a file on the server, which a request may not: the gateway's configuration has such files`,
  );

describe('before there is a release', () => {
  testCells(
    () => gateway.url,
    [
      ...cells('GET', [
        ['none', '', undefined, ok([])],
        ['no release', '/nope', undefined, notFound],
        ['no release', '/nope?info=manifest', undefined, notFound],
        ['no release', '/nope?info=notes', undefined, notFound],
        ['no release', '/nope?info=hooks', undefined, notFound],
        ['no release', '/nope?output=yaml', undefined, notFound],
        ['no release', '/nope/status', undefined, notFound],
        ['no release', '/nope/histories', undefined, notFound],
        [
          'no part',
          '/nope?info=all',
          undefined,
          failed('bad info all, release info only support hooks/manifest/notes/values'),
        ],
        [
          'no output',
          '/nope?output=xml',
          undefined,
          failed('invalid format type xml, output only support json/yaml'),
        ],
      ]),
      ...cells('PUT', [
        ['no release', `/nope?${hello}`, {}, failed('"nope" has no deployed releases')],
        ['no release', '/nope/versions/1', {}, notFound],
        ['no release', '/nope/versions/0', undefined, notFound],
      ]),
      ...cells('DELETE', [
        ['no release', '/nope', {}, failed('uninstall: Release not loaded: nope: release: not found')],
        [
          'no release, no body',
          '/nope',
          undefined,
          failed('uninstall: Release not loaded: nope: release: not found'),
        ],
        ['ignored', '/nope', { ignore_not_found: true }, ok()],
        ['dry run', '/nope', { dry_run: true }, notFound],
        ['dry run, ignored', '/nope', { dry_run: true, ignore_not_found: true }, ok()],
      ]),
    ],
  );
});

describe('install', () => {
  testCells(
    () => gateway.url,
    [
      ...cells('POST', [
        ['dry run', `/alpha?${hello}`, { dry_run: true }, ok()],
        [
          'success',
          `/alpha?${hello}`,
          { set: ['greeting=salut'], create_namespace: true, description: 'first' },
          ok(),
        ],
        ['without a body', `/bare?${hello}`, undefined, ok()],
        ['atomic', `/whole?${hello}`, { atomic: true }, ok()],
        ['name taken', `/alpha?${hello}`, {}, failed('cannot re-use a name that is still in use')],
        [
          'values',
          `/valued?${hello}`,
          {
            values: 'greeting: bonjour\nlist: [1]',
            set: ['n=1,b=true'],
            set_string: ['s=1'],
            timeout: '1m',
            wait: true,
          },
          ok(),
        ],
        ['hooks', '/hooked?chart=hooks-0.1.0.tgz', { disable_hooks: true }, ok()],
        ['no chart', '/b', {}, failed('chart name can not be empty')],
        [
          'no such chart',
          '/b?chart=nope-1.tgz',
          {},
          failed(
            `chart_url "nope-1.tgz" is no http(s) URL, no oci:// reference, no chart of a configured repository (REPO/CHART) and no path below the gateway's --chart-dir`,
          ),
        ],
        [
          'outside the folder',
          '/b?chart=../../../etc/passwd',
          {},
          failed(
            `chart_url "../../../etc/passwd" is no http(s) URL, no oci:// reference, no chart of a configured repository (REPO/CHART) and no path below the gateway's --chart-dir`,
          ),
        ],
        [
          'no archive',
          '/b?chart=notanarchive-0.1.0.tgz',
          {},
          failed('notanarchive-0.1.0.tgz: does not appear to be a gzipped archive'),
        ],
        [
          'bad template',
          '/b?chart=badtemplate-0.1.0.tgz',
          {},
          failed(
            'template: badtemplate/templates/cm.yaml:4:18: executing "badtemplate/templates/cm.yaml" at <.Values.missing.deeper>: nil pointer evaluating interface {}.deeper',
          ),
        ],
        [
          'bad manifest',
          '/b?chart=badmanifest-0.1.0.tgz',
          {},
          failed(
            'YAML parse error on badmanifest/templates/cm.yaml: error converting YAML to JSON: yaml: line 5: mapping values are not allowed in this context',
          ),
        ],
        [
          'required',
          '/b?chart=required-0.1.0.tgz',
          {},
          failed('execution error at (required/templates/cm.yaml:4:11): a name must be given'),
        ],
        [
          'missing dependency',
          '/b?chart=missingdep-0.1.0.tgz',
          {},
          failed(
            'missingdep-0.1.0.tgz: found in requirements.yaml, but missing in charts/ directory: absent',
          ),
        ],
        ['values', `/b?${hello}`, { values: '[1' }, failed('failed parsing values')],
        ['values that are a list', `/b?${hello}`, { values: '[1]' }, failed('failed parsing values')],
        ['set', `/b?${hello}`, { set: ['a[b]=1'] }, failed('failed parsing set data')],
        ['set_string', `/b?${hello}`, { set_string: ['a[b]=1'] }, failed('failed parsing set_string data')],
        ['timeout', `/b?${hello}`, { timeout: '5' }, failed('time: missing unit in duration "5"')],
        ['timeout', `/b?${hello}`, { timeout: 'soon' }, failed('time: invalid duration "soon"')],
        ['timeout', `/b?${hello}`, { timeout: '5d' }, failed('time: unknown unit "d" in duration "5d"')],
        ['timeout', `/b?${hello}`, { timeout: '-5m' }, failed('timeout must not be negative')],
        ['not JSON', `/b?${hello}`, 'dry_run', failed(noJson)],
        [
          'not an object',
          `/b?${hello}`,
          '[]',
          failed('json: cannot unmarshal array into Go value of type main.releaseOptions'),
        ],
        ['dry_run', `/b?${hello}`, { dry_run: 'true' }, noBool('dry_run')],
        [
          'set',
          `/b?${hello}`,
          { set: 'a=1' },
          failed('json: cannot unmarshal string into Go struct field releaseOptions.set of type []string'),
        ],
        ['wait_for_jobs', `/b?${hello}`, { wait_for_jobs: true }, ofHelm3('wait_for_jobs')],
        [
          'validation',
          `/b?${hello}`,
          { disable_open_api_validation: true },
          ofHelm3('disable_open_api_validation'),
        ],
        ['ca_file', `/b?${hello}`, { ca_file: '/etc/passwd' }, serverFile('ca_file')],
        ['cert_file', `/b?${hello}`, { cert_file: '/a' }, serverFile('cert_file')],
        ['key_file', `/b?${hello}`, { key_file: '/a' }, serverFile('key_file')],
        ['keyring', `/b?${hello}`, { keyring: '/a' }, serverFile('keyring')],
        [
          'verify',
          `/b?${hello}`,
          { verify: true },
          failed('hello-0.1.0.tgz: verify needs the gateway to have a --keyring'),
        ],
        ['name', `/Bad_Name?${hello}`, {}, badName('Bad_Name')],
        ['long name', `/${'a'.repeat(54)}?${hello}`, {}, badName('a'.repeat(54))],
      ]),
      {
        name: 'too large a body',
        verb: 'POST',
        path: `${releases}/b?${hello}`,
        body: { values: 'a'.repeat(70_000) },
        status: 413,
        answer: failed('the request body is over the limit of 65536 bytes'),
      },
    ],
  );

  test('values from a URL, as far as charts may come from there', async () => {
    for (const [url, expected] of [
      [`${values.url}/values.yaml`, ok()],
      [`${values.url}/nope.yaml`, failed(`${values.url}/nope.yaml: the server answered 404`)],
      [
        'http://169.254.169.254/latest',
        failed(
          'http://169.254.169.254/latest: charts from 169.254.169.254 are refused: it has a link-local, metadata or reserved address',
        ),
      ],
    ] as const) {
      const { status, answer } = await send(gateway.url, {
        name: '',
        verb: 'POST',
        path: `${releases}/by-url?${hello}`,
        body: { values: url },
        answer: '',
      });
      assert.deepEqual([status, answer], [200, expected]);
    }
  });
});

describe('what was installed', () => {
  testCells(
    () => gateway.url,
    [
      ...cells('GET', [
        [
          'all',
          '',
          undefined,
          ok([
            element('alpha'),
            element('bare'),
            element('by-url'),
            hooked,
            element('valued'),
            element('whole'),
          ]),
        ],
        ['values', '/alpha', undefined, ok({ greeting: 'salut' })],
        ['values, named', '/alpha?info=values&output=json', undefined, ok({ greeting: 'salut' })],
        ['no values', '/bare', undefined, ok()],
        ['no values', '/bare?output=yaml', undefined, ok('null\n')],
        ['values from a URL', '/by-url', undefined, ok({ greeting: 'from a URL' })],
        [
          'merged values',
          '/valued',
          undefined,
          ok({ b: true, greeting: 'bonjour', list: [1], n: 1, s: '1' }),
        ],
        [
          'values as YAML',
          '/valued?output=yaml',
          undefined,
          ok('b: true\ngreeting: bonjour\nlist:\n- 1\n"n": 1\ns: "1"\n'),
        ],
        ['manifest', '/alpha?info=manifest', undefined, ok(manifest('alpha', 'salut, world'))],
        ['notes', '/alpha?info=notes', undefined, ok('salut, world! Release alpha lives in team-a.\n')],
        ['no hooks', '/alpha?info=hooks', undefined, ok([])],
        [
          'status',
          '/alpha/status',
          undefined,
          ok(element('alpha', { notes: 'salut, world! Release alpha lives in team-a.\n' })),
        ],
        ['history', '/alpha/histories', undefined, ok([revision(1, 'deployed', 'first')])],
      ]),
      {
        name: 'another namespace',
        verb: 'GET',
        path: '/api/namespaces/other/releases/alpha/status',
        answer: notFound,
      },
      {
        name: 'another namespace',
        verb: 'GET',
        path: '/api/namespaces/other/releases/alpha',
        answer: notFound,
      },
      {
        name: 'another namespace',
        verb: 'GET',
        path: '/api/namespaces/other/releases/alpha/histories',
        answer: notFound,
      },
      { name: 'another namespace', verb: 'GET', path: '/api/namespaces/other/releases', answer: ok([]) },
      {
        name: 'another namespace',
        verb: 'PUT',
        path: '/api/namespaces/other/releases/alpha/versions/1',
        answer: notFound,
      },
      {
        name: 'another namespace',
        verb: 'PUT',
        path: `/api/namespaces/other/releases/alpha?${hello}`,
        answer: failed('"alpha" has no deployed releases'),
      },
      {
        name: 'a name that another namespace has',
        verb: 'PUT',
        path: `/api/namespaces/other/releases/alpha?${hello}`,
        body: { install: true },
        answer: failed('cannot re-use a name that is still in use'),
      },
      {
        name: 'another namespace',
        verb: 'DELETE',
        path: '/api/namespaces/other/releases/alpha',
        answer: failed('uninstall: Release not loaded: alpha: release: not found'),
      },
    ],
  );
});

describe('upgrade and rollback', () => {
  testCells(
    () => gateway.url,
    [
      ...cells('PUT', [
        ['atomic', `/whole?${hello}`, { atomic: true, timeout: '1m' }, ok()],
        ['dry run', `/alpha?${hello}`, { dry_run: true, values: 'greeting: dry' }, ok()],
        [
          'success',
          `/alpha?${hello}`,
          { values: 'greeting: hi', force: true, recreate: true, cleanup_on_fail: true },
          ok(),
        ],
        ['reuse values', `/alpha?${hello}`, { reuse_values: true, set: ['audience=all'] }, ok()],
        ['install', `/fresh?${hello}`, { install: true }, ok()],
        ['install, bad name', `/Bad_Name?${hello}`, { install: true }, badName('Bad_Name')],
        ['no chart', '/alpha', {}, failed('chart name can not be empty')],
        ['history_max', `/alpha?${hello}`, { history_max: 5 }, ofHelm3('history_max')],
        ['skip_crds', `/alpha?${hello}`, { skip_crds: true, install: true }, ofHelm3('skip_crds')],
        [
          'bad template',
          '/alpha?chart=badtemplate-0.1.0.tgz',
          {},
          failed(
            'template: badtemplate/templates/cm.yaml:4:18: executing "badtemplate/templates/cm.yaml" at <.Values.missing.deeper>: nil pointer evaluating interface {}.deeper',
          ),
        ],
        ['values', `/alpha?${hello}`, { values: '\t' }, failed('failed parsing values')],
        ['set', `/alpha?${hello}`, { set: ['a[b]=1'] }, failed('failed parsing set data')],
        ['install as text', `/alpha?${hello}`, { install: 'yes' }, noBool('install')],
        ['timeout', `/alpha?${hello}`, { timeout: '1x' }, failed('time: unknown unit "x" in duration "1x"')],
        ['rollback dry run', '/alpha/versions/1', { dry_run: true }, ok()],
        ['rollback', '/alpha/versions/1', { wait: true, timeout: '30s' }, ok()],
        ['rollback to the one before', '/alpha/versions/0', undefined, ok()],
        ['no such revision', '/alpha/versions/77', {}, failed('release has no 77 version')],
        ['no number', '/alpha/versions/first', {}, failed('strconv.Atoi: parsing "first": invalid syntax')],
        [
          'too large a number',
          '/alpha/versions/99999999999',
          {},
          failed('strconv.Atoi: parsing "99999999999": value out of range'),
        ],
        ['negative', '/alpha/versions/-1', {}, failed('invalid release revision')],
        ['bad timeout', '/alpha/versions/1', { timeout: 'x' }, failed('time: invalid duration "x"')],
        ['history_max', '/alpha/versions/1', { history_max: 1 }, ofHelm3('history_max')],
        ['not JSON', '/alpha/versions/1', 'x', failed(noJson)],
        ['force as text', '/alpha/versions/1', { force: 'x' }, noBool('force')],
      ]),
      ...cells('DELETE', [['what was atomic', '/whole', undefined, ok()]]),
      ...cells('GET', [
        ['values', '/alpha', undefined, ok({ audience: 'all', greeting: 'hi' })],
        [
          'history',
          '/alpha/histories',
          undefined,
          ok([
            revision(5, 'deployed', 'Rollback to 3'),
            revision(4, 'superseded', 'Rollback to 1'),
            revision(3, 'superseded', 'Upgrade complete'),
            revision(2, 'superseded', 'Upgrade complete'),
            revision(1, 'superseded', 'first'),
          ]),
        ],
      ]),
    ],
  );
});

describe('uninstall and list', () => {
  const alpha = element('alpha', { revision: '5' });
  const others = [element('by-url'), element('fresh'), hooked, element('valued')];
  const bare = element('bare', { status: 'uninstalled' });
  testCells(
    () => gateway.url,
    [
      ...cells('DELETE', [
        ['dry run', '/bare', { dry_run: true }, ok()],
        ['keep the history', '/bare', { keep_history: true, description: 'gone', disable_hooks: true }, ok()],
        ['twice', '/bare', { keep_history: true }, failed('the release named "bare" is already deleted')],
        [
          'wait',
          '/alpha',
          { wait: true },
          failed('wait is not supported for the uninstallation of releases of Helm 2'),
        ],
        [
          'propagation',
          '/alpha',
          { delete_propagation: 'orphan' },
          failed('delete_propagation other than background is not supported for releases of Helm 2'),
        ],
        [
          'timeout',
          '/alpha',
          { timeout: true },
          failed(
            'json: cannot unmarshal bool into Go struct field releaseUninstallOptions.timeout of type time.Duration',
          ),
        ],
        [
          'not JSON',
          '/alpha',
          '{',
          failed('the JSON body has no name in quotes where one should stand (line 1, column 2)'),
        ],
      ]),
      ...cells('PUT', [
        ['history kept', `/bare?${hello}`, {}, failed('"bare" has no deployed releases')],
        [
          'history kept, install',
          `/bare?${hello}`,
          { install: true },
          failed('"bare" has no deployed releases'),
        ],
      ]),
      ...cells('GET', [
        [
          'status of the uninstalled',
          '/bare/status',
          undefined,
          ok({ ...bare, notes: 'hello, world! Release bare lives in team-a.\n' }),
        ],
        [
          'history of the uninstalled',
          '/bare/histories',
          undefined,
          ok([revision(1, 'uninstalled', 'gone')]),
        ],
        ['by default', '', undefined, ok([alpha, ...others])],
        ['a body', '', { all: true }, ok([alpha, bare, ...others])],
        ['the query', '?all=true', undefined, ok([alpha, bare, ...others])],
        ['the body wins', '?all=true', { all: false }, ok([alpha, ...others])],
        ['uninstalled', '', { uninstalled: true }, ok([bare])],
        ['two states', '', { uninstalled: true, deployed: true, limit: 2 }, ok([alpha, bare])],
        ['failed', '', { failed: true }, ok([])],
        ['pending', '', { pending: true }, ok([])],
        ['uninstalling', '', { uninstalling: true }, ok([])],
        [
          'superseded',
          '',
          { superseded: true, limit: 1, offset: 1 },
          ok([element('alpha', { revision: '2', status: 'superseded' })]),
        ],
        ['superseded and more', '', { superseded: true, uninstalled: true }, ok([bare])],
        ['filter', '', { filter: '^(al|va)' }, ok([alpha, element('valued')])],
        ['filter in the query', '?filter=%5Eal', undefined, ok([alpha])],
        ['bad filter', '', { filter: '(' }, failed('error parsing regexp: missing closing ): `(`')],
        ['reverse', '', { sort_reverse: true, limit: 1 }, ok([element('valued')])],
        ['by date', '', { by_date: true, sort_reverse: true, limit: 1 }, ok([alpha])],
        ['limit and offset', '', { limit: 2, offset: 1 }, ok(others.slice(0, 2))],
        ['limit and offset in the query', '?limit=2&offset=1', undefined, ok(others.slice(0, 2))],
        ['offset behind the end', '', { offset: 99 }, ok([])],
        ['negative offset', '', { offset: -1 }, failed('limit and offset must not be negative')],
        [
          'limit as text',
          '',
          { limit: 'x' },
          failed('json: cannot unmarshal string into Go struct field releaseListOptions.limit of type int'),
        ],
        [
          'limit with a fraction',
          '',
          { limit: 1.5 },
          failed(
            'json: cannot unmarshal number 1.5 into Go struct field releaseListOptions.limit of type int',
          ),
        ],
        ['limit in the query', '?limit=x', undefined, failed('limit: expected a whole number')],
        ['not JSON', '', 'x', failed(noJson)],
        ['unknown fields and null', '', { nope: [{}], limit: null, ALL: true, offset: 99 }, ok([])],
      ]),
      {
        name: 'all namespaces',
        verb: 'GET',
        path: '/api/namespaces/other/releases',
        body: { all_namespaces: true, filter: 'alpha' },
        answer: ok([alpha]),
      },
      ...cells('DELETE', [
        ['the kept history', '/bare', undefined, ok()],
        ['success', '/alpha', { timeout: 60_000_000_000 }, ok()],
        ['timeout as text', '/valued', { timeout: '1m' }, ok()],
      ]),
      ...cells('GET', [
        ['is gone', '/alpha/status', undefined, notFound],
        ['is gone', '/bare/histories', undefined, notFound],
      ]),
      {
        name: 'an unknown path',
        verb: 'GET',
        path: `${releases}/a/b/c`,
        status: 404,
        answer: { code: 5, message: `nothing is at ${releases}/a/b/c`, reason: 'NOT_FOUND' },
      },
      {
        name: 'an unknown verb',
        verb: 'PATCH',
        path: releases,
        status: 405,
        answer: {
          code: 12,
          message: 'PATCH is not allowed here, only GET, HEAD, OPTIONS',
          reason: 'METHOD_NOT_ALLOWED',
        },
      },
      {
        name: 'a page of another origin',
        verb: 'DELETE',
        path: `${releases}/fresh`,
        headers: { origin: 'https://evil.example' },
        status: 403,
        answer: {
          code: 7,
          message: 'a page of another origin may not change anything here; --enable-cors allows origins',
          reason: 'FORBIDDEN',
        },
      },
      {
        name: 'another cluster',
        verb: 'DELETE',
        path: `${releases}/fresh?kube_context=prod`,
        answer: failed('this gateway serves one cluster: no other can be named (docs/clusters.md)'),
      },
      {
        name: 'a kubeconfig on the server',
        verb: 'DELETE',
        path: `${releases}/fresh?kube_config=/root/.kube/config`,
        answer: failed(`kube_config: this is no kubeconfig of this gateway's clusters`),
      },
      {
        name: 'empty names of clusters',
        verb: 'DELETE',
        path: `${releases}/fresh?kube_context=&kube_config=`,
        answer: ok(),
      },
    ],
  );
});

describe('GET with a body', () => {
  const body = JSON.stringify({ filter: 'by-url' });
  const expected = ok([element('by-url')]);
  const parse = (json: string) => JSON.parse(json.replace(/\d{4}-\d\d-\d\d [^"]*UTC/g, 'TIME'));

  test('chunked, and with more than one part', async () => {
    const request = httpRequest(gateway.url + releases, { agent: false });
    request.setHeader('transfer-encoding', 'chunked');
    request.write(body.slice(0, 5));
    request.end(body.slice(5));
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    assert.deepEqual(parse(await text(answer)), expected);
  });

  test('over HTTP/2, with and without a length', async () => {
    const session = http2Connect(gateway.url);
    for (const headers of [{}, { 'content-length': body.length }]) {
      const stream = session.request({ ':path': releases, ...headers }, { endStream: false });
      stream.end(body);
      assert.deepEqual(parse(await text(stream)), expected);
    }
    session.close();
    await once(session, 'close');
  });
});
