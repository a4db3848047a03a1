/** Comparisons of revisions over REST, and the environment. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type SandboxTiller, startSandboxTiller } from '../src/sandbox/index.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';

let sandbox: SandboxTiller;
let gateway: TestGateway;
const asked: string[] = [];
const api = '/tiller/v2/releases';

/** A ConfigMap and a Secret with the values `text` and `password`, and a hook. */
const templates = [
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {text: {{ .Values.text }}}\n',
  'apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}}\ndata: {password: {{ .Values.password | b64enc }}, user: YQ==}\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {helm.sh/hook: test-success}}\n',
];
const chart = {
  metadata: { name: 'one', version: '1.0.0' },
  templates: templates.map((data, index) => ({
    name: `templates/${index}.yaml`,
    data: Buffer.from(data).toString('base64'),
  })),
  values: { raw: 'text: first\npassword: firstpass\n' },
};

before(async () => {
  sandbox = await startSandboxTiller({ intercept: ({ method }) => void asked.push(method) });
  gateway = await startTestGateway(sandbox.address);
  await send('POST', 'web/json', { chart, namespace: 'team-a' });
  await send('PUT', 'web/json', { chart, values: { raw: 'password: secondpass' } });
  await send('PUT', 'web/json', { chart, values: { raw: 'text: third' } });
});
after(async () => {
  await gateway[Symbol.asyncDispose]();
  await sandbox.stop();
});

const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${api}/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });

interface Diff {
  from?: number;
  to: number;
  objects?: { change?: string; kind: string; hook?: boolean; diff?: string }[];
}

const brief = ({ from, to, objects = [] }: Diff) => [
  `${from ?? 'nothing'} ${to}`,
  // in the order of their names: Tiller's is of its own
  ...objects.map(({ change = 'UNCHANGED', kind, hook }) => `${change} ${kind}${hook ? ' hook' : ''}`).sort(),
];
const sorted = ([revisions = '', ...objects]: readonly string[]) => [revisions, ...objects.sort()];
const none = ['UNCHANGED ConfigMap', 'UNCHANGED Secret', 'UNCHANGED ConfigMap hook'];

describe('between revisions', () => {
  for (const [query, expected] of [
    ['', ['2 3', 'CHANGED ConfigMap', 'CHANGED Secret', 'UNCHANGED ConfigMap hook']],
    ['?from=1&to=2', ['1 2', 'CHANGED Secret', 'UNCHANGED ConfigMap', 'UNCHANGED ConfigMap hook']],
    ['?from=3&to=1', ['3 1', 'CHANGED ConfigMap', 'UNCHANGED Secret', 'UNCHANGED ConfigMap hook']],
    ['?to=1', ['nothing 1', 'ADDED ConfigMap', 'ADDED Secret', 'ADDED ConfigMap hook']],
    ['?from=2&to=2&namespace=team-a', ['2 2', ...none]],
  ] as const) {
    test(query, async () => {
      const response = await send('GET', `web/diff/json${query}`);
      assert.equal(response.status, 200);
      const text = await response.text();
      assert.deepEqual(brief(JSON.parse(text)), sorted(expected));
      for (const value of ['firstpass', 'secondpass', 'YQ==']) {
        assert.ok(!text.includes(value) && !text.includes(btoa(value)), text);
      }
    });
  }

  test('as unified text, the changed key of a Secret named', async () => {
    const response = await send('GET', 'web/diff/json?from=1&to=2', undefined, { accept: 'text/plain' });
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(
      await response.text(),
      `--- Secret web\trevision 1
+++ Secret web\trevision 2
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  password: '*** (before)'
+  password: '*** (after)'
   user: '***'
 kind: Secret
 metadata:
`,
    );
  });

  for (const [path, status] of [
    ['web/diff/json?from=-1', 400],
    ['web/diff/json?to=9', 404],
    ['web/diff/json?namespace=team-b', 404],
    ['nobody/diff/json', 404],
  ] as const)
    test(`${path} is ${status}`, async () => assert.equal((await send('GET', path)).status, status));
});

describe('of a change, which is not made', () => {
  const upgrade = { chart, values: { raw: 'text: third\npassword: other' } };
  const changed = ['CHANGED Secret', 'UNCHANGED ConfigMap', 'UNCHANGED ConfigMap hook'];
  for (const [title, name, body, expected] of [
    ['an upgrade', 'web', upgrade, ['3 4', ...changed]],
    ['in its namespace', 'web', { ...upgrade, namespace: 'team-a' }, ['3 4', ...changed]],
    ['of nothing', 'web', { chart, reuse_values: true, values: {} }, ['3 4', ...none]],
    ['a rollback', 'web', { version: 2 }, ['3 2', 'CHANGED ConfigMap', 'CHANGED Secret', none[2]!]],
    [
      'an installation',
      'new',
      { chart, install: true },
      ['nothing 1', 'ADDED ConfigMap', 'ADDED Secret', 'ADDED ConfigMap hook'],
    ],
  ] as const) {
    test(title, async () => {
      const response = await send('POST', `${name}/diff/json`, body);
      assert.equal(response.status, 200);
      assert.deepEqual(brief((await response.json()) as Diff), sorted(expected));
      assert.equal((await send('GET', 'new/json')).status, 404);
      const { releases } = (await (await send('GET', 'web/json')).json()) as { releases: unknown[] };
      assert.equal(releases.length, 3);
    });
  }

  for (const [title, name, body, status] of [
    ['without a chart', 'web', {}, 400],
    ['a rollback with a chart', 'web', { chart, version: 1 }, 400],
    ['to a revision that is not there', 'web', { version: 9 }, 404],
    ['in another namespace', 'web', { ...upgrade, namespace: 'team-b' }, 404],
    ['of no release', 'nobody', { chart }, 404],
    ['with broken values', 'web', { chart, values: { raw: 'text: [' } }, 400],
  ] as const)
    test(title, async () => assert.equal((await send('POST', `${name}/diff/json`, body)).status, status));

  test('pages of other origins may not ask for it', async () => {
    const asksOf = () => asked.length;
    const before = asksOf();
    const response = await send('POST', 'web/diff/json', upgrade, { origin: 'https://evil.example' });
    assert.equal(response.status, 403);
    assert.equal(asksOf(), before);
  });
});

test('the environment names what a client has to know, and nothing of the machine', async () => {
  const response = await fetch(`${gateway.url}/tiller/v2/environment/json`);
  const { environment } = (await response.json()) as { environment: Record<string, string> };
  assert.equal(environment.HELM_NAMESPACE, 'default');
  assert.equal(environment.TILLER_GATEWAY_READS, 'tiller');
});
