/** What the sandbox's Tiller answers where a real Tiller 2.17.0 was seen to answer so, and what is alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxClient } from './support/sandbox-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const bounded = { timeout: 60_000 };

type Templates = Record<string, string>;

const installRequest = (name: string, templates: Templates, given: object = {}) => ({
  name,
  namespace: 'default',
  chart: chartOf('c', templates),
  values: {},
  ...given,
});

async function install(tiller: SandboxClient, name: string, templates: Templates, given: object = {}) {
  return (await tiller.call('InstallRelease', installRequest(name, templates, given))).release!;
}

async function state(tiller: SandboxClient, name: string): Promise<string> {
  const { releases } = await tiller.call('GetHistory', { name, max: 1 });
  const info = releases[0]?.info;
  return `${info?.status?.code} ${info?.Description}`;
}

const cm = { 'cm.yaml': configMap('{{ .Release.Name }}-cm') };

/** A file, and what is said about each of its documents without an object. */
const emptyDocuments: readonly (readonly [what: string, text: string, faults: number])[] = [
  ['a comment before the object', `# license\n---\n${configMap('x')}`, 1],
  ['a line of dashes twice at the beginning', `---\n---\n${configMap('x')}`, 1],
  ['a line of dashes twice at the end', `${configMap('x')}\n---\n---\n`, 1],
  ['at both ends', `---\n---\n${configMap('x')}\n---\n---\n`, 2],
  ['a comment between two objects', `${configMap('x')}\n---\n# nothing\n---\n${configMap('z')}`, 1],
  ['a list of nothing', `${configMap('x')}\n---\napiVersion: v1\nkind: List\nitems: []`, 1],
  ['one line of dashes at each end', `---\n${configMap('x')}\n---\n`, 0],
  ['white space', `\n\n${configMap('x')}\n\n---\n\n`, 0],
];

for (const [what, text, faults] of emptyDocuments) {
  test(`deleting documents without an object: ${what}`, bounded, async () => {
    await using tiller = await SandboxClient.start();
    await install(tiller, 'r', { 'a.yaml': text });
    if (faults === 0) await tiller.call('UninstallRelease', { name: 'r' });
    else {
      const each = 'release "r": object "" not found, skipping delete';
      assert.equal(
        await tiller.failure('UninstallRelease', { name: 'r' }),
        `2 deletion completed with ${faults} error(s): ${Array(faults).fill(each).join('; ')}`,
      );
    }
    assert.equal(await state(tiller, 'r'), 'DELETED Deletion complete');
    await install(tiller, 's', { 'a.yaml': text });
    assert.equal((await tiller.call('UninstallRelease', { name: 's', purge: true })).info, '');
  });
}

test('a list of nothing with metadata is named in the fault', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const list = 'apiVersion: v1\nkind: List\nmetadata: {name: l}\nitems: []';
  await install(tiller, 'r', { ...cm, 'l.yaml': list, 'n.yaml': '# only a comment' });
  const texts = ['object "" not found', 'object "[List] l" not found'];
  assert.equal(
    await tiller.failure('UninstallRelease', { name: 'r' }),
    `2 deletion completed with 2 error(s): ${texts.map(each => `release "r": ${each}, skipping delete`).join('; ')}`,
  );
});

test('a post-delete hook that fails is one of the errors; the release is deleted', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const annotations = '  annotations: {helm.sh/hook: post-delete}\n';
  const templates = { ...cm, 'h.yaml': configMap('{{ .Release.Name }}-x', annotations) };
  for (const name of ['r', 's']) {
    await install(tiller, name, templates);
    await install(tiller, `other-${name}`, { 'cm.yaml': configMap(`${name}-x`) });
  }
  assert.equal(
    await tiller.failure('UninstallRelease', { name: 'r' }),
    '2 deletion completed with 1 error(s): configmaps "r-x" already exists',
  );
  assert.equal(await state(tiller, 'r'), 'DELETED Deletion complete');
  await tiller.call('UninstallRelease', { name: 's', purge: true });
  assert.equal(await tiller.failure('GetHistory', { name: 's', max: 1 }), '2 release: "s" not found');
});

test('Tiller makes the namespace before the objects', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const own = { 'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: "{{ .Release.Namespace }}"}' };
  const failure = await tiller.failure('InstallRelease', installRequest('r', own, { namespace: 'team-x' }));
  assert.equal(failure, '2 release r failed: namespaces "team-x" already exists');
  for (const name of ['default', 'kube-system', 'kube-public']) {
    const templates = { 'ns.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}` };
    assert.equal(
      await tiller.failure('InstallRelease', installRequest(`r-${name}`, templates)),
      `2 release r-${name} failed: namespaces "${name}" already exists`,
    );
  }
  const another = { 'cm.yaml': configMap('c', '  namespace: nosuch\n') };
  const missing = 'namespaces "nosuch" not found';
  assert.equal(
    await tiller.failure('InstallRelease', installRequest('s', another)),
    `2 release s failed: ${missing}`,
  );
  await install(tiller, 'u', cm);
  assert.equal(
    await tiller.failure('UpdateRelease', { name: 'u', chart: chartOf('c', another), values: {} }),
    `2 failed to create resource: ${missing}`,
  );
  const both = {
    ...another,
    'ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: nosuch}',
  };
  await install(tiller, 't', both);
});

test('a resource policy other than delete keeps an object, also from a forced upgrade', bounded, async () => {
  for (const policy of ['', 'keep', 'retain']) {
    await using tiller = await SandboxClient.start();
    const kept = { 'k.yaml': configMap('k', `  annotations: {helm.sh/resource-policy: "${policy}"}\n`) };
    await install(tiller, 'r', { ...kept, ...cm });
    const { info } = await tiller.call('UninstallRelease', { name: 'r', purge: true });
    assert.equal(info, 'These resources were kept due to the resource policy:\n[ConfigMap] k\n', policy);
    assert.equal(
      await tiller.failure('InstallRelease', installRequest('r', kept)),
      '2 release r failed: configmaps "k" already exists',
    );
    // of a failed release it is still the release's own
    const { release } = await tiller.call('UpdateRelease', {
      name: 'r',
      chart: chartOf('c', kept),
      values: {},
      force: true,
    });
    assert.equal(release?.info?.status?.code, 'DEPLOYED');
  }
});

test('a policy on a list keeps all of its items', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const item = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;
  const metadata = '{name: l, annotations: {helm.sh/resource-policy: keep}}';
  const list = `apiVersion: v1\nkind: List\nmetadata: ${metadata}\nitems: [${item('a')}, ${item('b')}]`;
  await install(tiller, 'r', { 'l.yaml': list });
  const { info } = await tiller.call('UninstallRelease', { name: 'r', purge: true });
  assert.equal(info, 'These resources were kept due to the resource policy:\n[List] l\n');
  for (const name of ['a', 'b']) {
    const again = installRequest(`s-${name}`, { 'x.yaml': configMap(name) });
    assert.match(await tiller.failure('InstallRelease', again), /already exists$/);
  }
});

test('a deletion that deletes what the policy allows', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await install(tiller, 'r', {
    'k.yaml': configMap('k', '  annotations: {helm.sh/resource-policy: delete}\n'),
  });
  assert.equal((await tiller.call('UninstallRelease', { name: 'r', purge: true })).info, '');
});

const yamlFault = 'YAML parse error on c/templates/a.yaml: error converting YAML to JSON: yaml:';
/** Bytes of a template, and what libyaml's reader says of them. */
const latin1: readonly (readonly [bytes: string, fault: string])[] = [
  ['caf\xe9', 'incomplete UTF-8 octet sequence'],
  ['caf\xe9 au lait', 'invalid trailing UTF-8 octet'],
  ['\x80 au lait', 'invalid leading UTF-8 octet'],
  ['\xff\xfe', 'invalid leading UTF-8 octet'],
  ['\xc0\x80 overlong', 'invalid length of a UTF-8 sequence'],
  ['\xed\xa0\x80 surrogate', 'invalid Unicode character'],
  ['\x01 and \xff', 'control characters are not allowed'],
  ['# {{ trunc 1 "\xc3\xbc" }} in a comment', 'invalid trailing UTF-8 octet'],
];

test('templates that are not UTF-8 are refused in the words of libyaml', bounded, async () => {
  await using tiller = await SandboxClient.start();
  for (const [bytes, fault] of latin1) {
    const chart = chartOf('c', {});
    const text = `${configMap('x')}data:\n  a: "${bytes}"`;
    chart.templates = [{ name: 'templates/a.yaml', data: Buffer.from(text, 'latin1') }];
    assert.equal(
      await tiller.failure('InstallRelease', { name: 'r', namespace: 'default', chart, values: {} }),
      `2 ${yamlFault} ${fault}`,
      bytes,
    );
  }
});

test('notes that are not UTF-8 can be neither sent nor stored', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const fault = 'proto: field "hapi.release.Status.Notes" contains invalid UTF-8';
  const bad = { ...cm, 'NOTES.txt': '{{ trunc 5 "Straße" }}' };
  const marshaling = `13 grpc: error while marshaling: ${fault}`;
  assert.equal(await tiller.failure('InstallRelease', installRequest('r', bad)), marshaling);
  assert.equal(await tiller.failure('GetHistory', { name: 'r', max: 1 }), '2 release: "r" not found');
  assert.equal(
    await tiller.failure('InstallRelease', installRequest('d', bad, { dry_run: true })),
    marshaling,
  );
  await install(tiller, 'u', cm);
  const update = { name: 'u', chart: chartOf('c', bad), values: {} };
  assert.equal(await tiller.failure('UpdateRelease', update), `2 ${fault}`);
  assert.equal(await tiller.failure('UpdateRelease', { ...update, dry_run: true }), marshaling);
  assert.equal(await state(tiller, 'u'), 'DEPLOYED Install complete');
});

test('an object whose name is made up is installed, and then out of reach', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const generated = { 'g.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: gen-}' };
  await install(tiller, 'r', generated);
  const text = 'resource name may not be empty';
  assert.equal(
    await tiller.failure('UpdateRelease', { name: 'r', chart: chartOf('c', generated), values: {} }),
    `2 Could not get information about the resource: ${text}`,
  );
  assert.equal(
    await tiller.failure('UninstallRelease', { name: 'r' }),
    `2 deletion completed with 1 error(s): ${text}`,
  );
  const hook = 'metadata: {generateName: h-, annotations: {helm.sh/hook: pre-install, POLICY}}';
  const withPolicy = (policy: string) => ({
    'h.yaml': `apiVersion: v1\nkind: ConfigMap\n${hook.replace('POLICY', `helm.sh/hook-delete-policy: ${policy}`)}`,
    ...cm,
  });
  assert.equal(
    await tiller.failure('InstallRelease', installRequest('h', withPolicy('before-hook-creation'))),
    `2 ${text}`,
  );
});

test('the texts of Tiller 2.17', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await install(tiller, 'r', cm);
  await install(tiller, 's', { 'x.yaml': configMap('x') });
  const texts = [
    await tiller.failure('InstallRelease', installRequest('r', cm, { reuse_name: true })),
    await tiller.failure('GetReleaseStatus', { name: 'dé' }),
    await tiller.failure('UpdateRelease', {
      name: 'r',
      chart: chartOf('c', { 'x.yaml': configMap('x') }),
      values: {},
    }),
  ];
  assert.deepEqual(texts, [
    '2 a release named r is in use, cannot re-use a name that is still in use',
    '2 invalid release name, must match regex ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$ and the length must not be longer than 53',
    '2 kind ConfigMap with the name "x" in "default" already exists in the cluster and wasn\'t defined in the previous release. Before upgrading, please either delete the resource from the cluster or remove it from the chart',
  ]);
});
