import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifestObjects } from './manifest-objects.ts';

const names = (manifest: string) =>
  readManifestObjects(manifest, 'ns').map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);

test('documents are split at dashes, empty ones and comments left out', () => {
  const manifest = [
    '\n---\n# Source: c/templates/a.yaml\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata:\n  x: "--- no"',
    '---\n',
    '--- # note\napiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: other}',
    '---\n# nothing here\n',
  ].join('\n');
  assert.deepEqual(names(manifest), ['ConfigMap ns/a', 'Secret other/b']);
});

test('lists are taken apart, cluster-wide kinds have no namespace', () => {
  const role = '{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}';
  const manifest = `apiVersion: v1\nkind: List\nitems: [${role}, {apiVersion: v1, kind: Pod, metadata: {generateName: p-}}]`;
  assert.deepEqual(names(manifest), ['ClusterRole /r', 'Pod ns/']);
});

test('what is no object is refused as Kubernetes’ client does', () => {
  const cases: [manifest: string, message: RegExp][] = [
    [
      'apiVersion: v1\nb: 1\n',
      /^unable to decode "": Object 'Kind' is missing in '\{"apiVersion":"v1","b":1\}'$/,
    ],
    ['kind: Pod', /^unable to decode "": Object 'apiVersion' is missing in '\{"kind":"Pod"\}'$/],
    ['just text', /a manifest must be a map/],
    ['a: [', /^error converting YAML to JSON: yaml: line 1/],
  ];
  for (const [manifest, message] of cases)
    assert.throws(() => readManifestObjects(manifest, 'ns'), { message }, manifest);
});
