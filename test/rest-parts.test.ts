/** Parts of a release over REST: as JSON, as text, as YAML, by `Accept`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type SandboxTiller, startSandboxTiller } from '../src/sandbox/index.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';

let sandbox: SandboxTiller;
let gateway: TestGateway;
const api = '/tiller/v2/releases';

before(async () => {
  sandbox = await startSandboxTiller();
  gateway = await startTestGateway(sandbox.address);
  await install('alpha', 'hello-0.1.0', { values: { raw: 'greeting: salut # hi\n' }, namespace: 'team-a' });
  await install('hooked', 'hooks-0.1.0');
  await install('values', 'parent-0.3.0', {
    values_json: { cache: { size: 5, extra: null }, global: { g: 1 } },
  });
  await install('watch', 'hello-0.1.0', { values: { raw: 'n: 12345678901234567890\n' } });
});
after(async () => {
  await gateway[Symbol.asyncDispose]();
  await sandbox.stop();
});

async function install(name: string, chart: string, more: object = {}): Promise<void> {
  const chart_archive = readFileSync(`test/conformance/charts/${chart}.tgz`, 'base64');
  const body = JSON.stringify({ chart_archive, ...more });
  const response = await fetch(`${gateway.url}${api}/${name}/json`, { method: 'POST', body });
  assert.equal(response.status, 200, await response.text());
}

/** A body, or parts of it, as a test expects them. */
// biome-ignore lint/suspicious/noExplicitAny: what it is is what the tests are about
const bodyOf = async (response: Response): Promise<any> => response.json();

const get = (path: string, accept?: string, method = 'GET') =>
  fetch(`${gateway.url}${api}/${path}`, { method, headers: accept === undefined ? {} : { accept } });

const manifest = `
---
# Source: hello/templates/configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: alpha-hello
  labels:
    release: "alpha"
data:
  message: "salut, world"
  cluster: "none"
  revision: "1"`;
const notes = 'salut, world! Release alpha lives in team-a.\n';
const head = { name: 'alpha', version: 1, namespace: 'team-a' };

describe('as JSON', () => {
  const answers: [path: string, body: unknown][] = [
    ['alpha/manifest/json', { ...head, manifest }],
    ['alpha/manifest/json?version=1&namespace=team-a', { ...head, manifest }],
    ['alpha/notes/json', { ...head, notes }],
    ['alpha/hooks/json', head],
    ['alpha/values/json', { ...head, values: { greeting: 'salut' }, raw: 'greeting: salut # hi\n' }],
    [
      'alpha/values/json?all=true',
      {
        ...head,
        values: { audience: 'world', clusterName: '', greeting: 'salut', ns: '' },
        raw: 'audience: world\nclusterName: ""\ngreeting: salut\nns: ""\n',
      },
    ],
    ['hooked/values/json', { name: 'hooked', version: 1, namespace: 'default', values: {} }],
    [
      'watch/values/json',
      {
        name: 'watch',
        version: 1,
        namespace: 'default',
        raw: 'n: 12345678901234567890\n',
      },
    ],
  ];
  for (const [path, body] of answers) {
    test(path, async () => {
      const response = await get(path);
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), body);
      assert.equal(response.headers.get('vary'), 'Accept');
    });
  }

  test('hooks with all that is known of them', async () => {
    const { hooks } = await bodyOf(await get('hooked/hooks/json'));
    const [before] = hooks.filter(({ name }: { name: string }) => name === 'hooked-before');
    const { last_run, manifest: text, ...rest } = before;
    assert.match(last_run, /^\d{4}-\d\d-\d\dT/);
    assert.match(text, /phase: before/);
    assert.deepEqual(rest, {
      name: 'hooked-before',
      kind: 'ConfigMap',
      path: 'hooks/templates/before.yaml',
      events: ['PRE_INSTALL', 'PRE_UPGRADE'],
      weight: 5,
      delete_policies: ['BEFORE_HOOK_CREATION'],
    });
  });

  test('computed values have those of subcharts, with what was given and the globals', async () => {
    const { values } = await bodyOf(await get('values/values/json?all=true'));
    assert.deepEqual(values.cache, { enabled: true, global: { g: 1 }, size: 5 });
    assert.deepEqual(values.global, { g: 1 });
    assert.ok('common' in values && values.title === 'parent');
  });
});

describe('by Accept', () => {
  const yaml = 'application/yaml';
  const plain = 'text/plain; charset=utf-8';
  const json = 'application/json';
  const cases: [path: string, accept: string, type: string, body?: string | RegExp][] = [
    ['alpha/manifest/json', 'text/plain', plain, manifest],
    ['alpha/manifest/json', yaml, yaml, manifest],
    ['alpha/manifest/json', 'text/yaml', 'text/yaml; charset=utf-8', manifest],
    [
      'alpha/manifest/json',
      'application/x-yaml;q=0.5, application/json;q=0.1',
      'application/x-yaml',
      manifest,
    ],
    ['alpha/manifest/json', 'text/*', plain],
    ['alpha/manifest/json', '*/*', json],
    ['alpha/manifest/json', 'text/plain;q=0.3, */*;q=0.2', plain],
    ['alpha/manifest/json', 'text/plain;q=0.3, application/json;q=0.4', json],
    ['alpha/manifest/json', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', json],
    ['alpha/notes/json', 'text/plain', plain, notes],
    ['alpha/notes/json', 'application/yaml, application/json;q=0.1', json],
    ['alpha/values/json', yaml, yaml, 'greeting: salut # hi\n'],
    ['alpha/values/json?all=true', yaml, yaml, 'audience: world\nclusterName: ""\ngreeting: salut\nns: ""\n'],
    ['hooked/values/json', yaml, yaml, ''],
    ['alpha/hooks/json', 'text/plain', plain, ''],
    ['hooked/hooks/json', yaml, yaml, /^---\n# hooked-\w+\n[\s\S]*phase: before/],
    ['values/manifest/json', yaml, yaml, /^\n---\n# Source: parent\//],
    ['values/values/json', yaml, yaml, /cache:/],
  ];
  for (const [path, accept, type, body] of cases) {
    test(`${path} ${accept}`, async () => {
      const response = await get(path, accept);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), type);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      const text = await response.text();
      if (body instanceof RegExp) assert.match(text, body);
      else if (body !== undefined) assert.equal(text, body);
    });
  }

  for (const [path, accept] of [
    ['alpha/manifest/json', 'image/png'],
    ['alpha/notes/json', yaml],
    ['alpha/values/json', 'application/json;q=0, text/html'],
  ] as const) {
    test(`${path} ${accept} is 406`, async () => {
      const response = await get(path, accept);
      assert.equal(response.status, 406);
      const { code, reason, message } = await bodyOf(response);
      assert.deepEqual([code, reason], [3, 'NOT_ACCEPTABLE']);
      assert.match(message, /application\/json, text\/plain/);
    });
  }

  test('HEAD has the head of the same answer, and other routes do not look at Accept', async () => {
    const response = await get('alpha/manifest/json', yaml, 'HEAD');
    assert.equal(response.headers.get('content-length'), String(manifest.length));
    assert.equal((await get('alpha/content/json', 'image/png')).status, 200);
  });
});

describe('what is not there', () => {
  for (const [path, status] of [
    ['nobody/manifest/json', 404],
    ['alpha/hooks/json?version=9', 404],
    ['alpha/notes/json?namespace=team-b', 404],
    ['alpha/values/json?version=x', 400],
  ] as const) {
    for (const accept of ['application/json', 'text/plain']) {
      test(`${path} ${accept}`, async () => {
        const response = await get(path, accept);
        assert.equal(response.status, status);
        assert.equal(response.headers.get('content-type'), 'application/json');
      });
    }
  }
});
