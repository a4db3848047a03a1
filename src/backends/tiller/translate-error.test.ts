import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Code } from '../../protocol/index.ts';
import { translateTillerCode } from './translate-error.ts';

const texts: readonly (readonly [string, Code])[] = [
  ['release: "nope" not found', Code.NOT_FOUND],
  ['getting deployed release "nope": release: "nope" not found', Code.NOT_FOUND],
  ['getting release \'alpha\' (v9): release: "alpha.v9" not found', Code.NOT_FOUND],
  ['"nope" has no deployed releases', Code.NOT_FOUND],
  ['no revision for release "nope"', Code.NOT_FOUND],
  [
    'a release named alpha already exists.\nRun: helm ls --all alpha; to check the status of the release',
    Code.ALREADY_EXISTS,
  ],
  ['release: "alpha" already exists', Code.ALREADY_EXISTS],
  ['a released named alpha is in use, cannot re-use a name that is still in use', Code.ALREADY_EXISTS],
  ['a release named alpha is in use, cannot re-use a name that is still in use', Code.ALREADY_EXISTS],
  ['the release named "alpha" is already deleted', Code.ALREADY_EXISTS],
  ['another operation (install/upgrade/rollback) is in progress', Code.ABORTED],
  ['release name "nnn" exceeds max length of 53', Code.INVALID_ARGUMENT],
  [
    'invalid release name, must match regex ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$ and the length must not longer than 53',
    Code.INVALID_ARGUMENT,
  ],
  ['invalid release revision', Code.INVALID_ARGUMENT],
  ['no chart provided', Code.INVALID_ARGUMENT],
  ['no release provided', Code.INVALID_ARGUMENT],
  ['render error in "a/templates/b.yaml": template: x', Code.INVALID_ARGUMENT],
  ['parse error in "a/templates/b.yaml": template: x', Code.INVALID_ARGUMENT],
  ['rendering template failed: runtime error', Code.INVALID_ARGUMENT],
  [
    'YAML parse error on a/templates/b.yaml: error converting YAML to JSON: yaml: line 5',
    Code.INVALID_ARGUMENT,
  ],
  ["error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'", Code.INVALID_ARGUMENT],
  ['validation failed: unable to recognize ""', Code.INVALID_ARGUMENT],
  ['release a failed: ConfigMap "A" is invalid: metadata.name: Invalid value', Code.INVALID_ARGUMENT],
  ['release a failed: no objects visited', Code.INVALID_ARGUMENT],
  ['unable to recognize "": no matches for kind "Foo" in version "v1"', Code.INVALID_ARGUMENT],
  ['offset "zzz" not found', Code.INVALID_ARGUMENT],
  ['no items after "zzz"', Code.INVALID_ARGUMENT],
  ['error parsing regexp: missing closing ]: `[`', Code.INVALID_ARGUMENT],
  ['Chart incompatible with Tiller v2.17.0', Code.FAILED_PRECONDITION],
  [
    'Chart requires kubernetesVersion: >=1.20 which is incompatible with Kubernetes v1.18.20',
    Code.FAILED_PRECONDITION,
  ],
  ['incompatible versions client[v3.0.0] server[v2.17.0]', Code.FAILED_PRECONDITION],
  ['release a failed: configmaps is forbidden: User "x" cannot create', Code.PERMISSION_DENIED],
  ['release a failed: configmaps "x" already exists', Code.ALREADY_EXISTS],
  ['release a failed: resource already exists', Code.ALREADY_EXISTS],
  ['release a failed: timed out waiting for the condition', Code.DEADLINE_EXCEEDED],
];

for (const [text, code] of texts) {
  test(text.slice(0, 60), () => assert.equal(translateTillerCode(Code.UNKNOWN, text), code));
}

test('what matches nothing stays UNKNOWN, and so does a text that only mentions a pattern', () => {
  for (const text of [
    '',
    'boom',
    'the job said: release: "x" not found today',
    'release alpha failed: etcd is on fire',
  ]) {
    assert.equal(translateTillerCode(Code.UNKNOWN, text), Code.UNKNOWN, text);
  }
});

test('a status other than UNKNOWN is not read', () => {
  assert.equal(
    translateTillerCode(Code.RESOURCE_EXHAUSTED, 'release: "x" not found'),
    Code.RESOURCE_EXHAUSTED,
  );
});

test('every recorded failure gets the code that is expected of the gateway', () => {
  const expectations = JSON.parse(readFileSync('test/conformance/expectations.json', 'utf8'));
  let compared = 0;
  for (const line of readFileSync('test/conformance/rest-v2.jsonl', 'utf8').trim().split('\n')) {
    const { id, grpc } = JSON.parse(line);
    if (grpc[0]?.status !== 2) continue;
    assert.equal(translateTillerCode(Code.UNKNOWN, grpc[0].message), expectations[id].code, id);
    compared++;
  }
  assert.ok(compared > 15);
});
