import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cpuMsOf } from '../../../test/support/cpu-time.ts';
import { Code, errorToHttpStatus } from '../../protocol/index.ts';
import { translateTillerError } from './translate-error.ts';

const translateTillerCode = (code: Code, text: string) => translateTillerError(code, text).code;

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
  ['deletion completed with 1 error(s): configmaps "r-x" already exists', Code.UNKNOWN],
  ['deletion completed with 1 error(s): resource name may not be empty', Code.UNKNOWN],
  ['deletion completed with 1 error(s): release "r": object "" not found, skipping delete', Code.UNKNOWN],
  ['a release named alpha is in use, cannot re-use a name that is still in use', Code.ALREADY_EXISTS],
  ['a release named alpha is in use, cannot re-use a name that is still in use', Code.ALREADY_EXISTS],
  ['the release named "alpha" is already deleted', Code.ALREADY_EXISTS],
  ['another operation (install/upgrade/rollback) is in progress', Code.ABORTED],
  ['release name "nnn" exceeds max length of 53', Code.INVALID_ARGUMENT],
  [
    'invalid release name, must match regex ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$ and the length must not be longer than 53',
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

interface Example {
  readonly example: string;
  readonly method: readonly string[];
  readonly code: Code;
  readonly http: number;
  readonly byMethod?: boolean;
  readonly grpcCode?: Code;
}

const examples = readFileSync('test/conformance/tiller-errors.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Example);

for (const { example, method, code, http, byMethod, grpcCode } of examples)
  test(`measured: ${byMethod ? `${method} ` : ''}${example.slice(0, 90)}`, () => {
    const call = byMethod ? { method: method[0], named: true } : {};
    const meaning = translateTillerError(grpcCode ?? Code.UNKNOWN, example, call);
    assert.deepEqual([meaning.code, errorToHttpStatus(meaning)], [code, http]);
  });

test('the same words in other places mean the same', () => {
  const alike: readonly (readonly [string, Code])[] = [
    [
      'release a failed: Get "https://10.96.0.1:443/api": dial tcp 10.96.0.1:443: i/o timeout',
      Code.UNAVAILABLE,
    ],
    [
      'getting deployed release "a": Get https://10.96.0.1:443/api: dial tcp 10.96.0.1:443: connect: no route to host',
      Code.UNAVAILABLE,
    ],
    [
      'Get https://kubernetes.default/api: dial tcp: lookup kubernetes.default on 10.96.0.10:53: no such host',
      Code.UNAVAILABLE,
    ],
    [
      'Get "https://10.96.0.1:443/api": read tcp 10.1.1.1:5->10.96.0.1:443: read: connection reset by peer',
      Code.UNAVAILABLE,
    ],
    [
      'Get "https://10.96.0.1:443/api": read tcp 10.1.1.1:5->10.96.0.1:443: i/o timeout',
      Code.DEADLINE_EXCEEDED,
    ],
    ['Get "https://10.96.0.1:443/api": x509: certificate has expired or is not yet valid', Code.UNAVAILABLE],
    [
      'validation failed: Get "https://10.96.0.1:443/openapi/v2": context deadline exceeded',
      Code.DEADLINE_EXCEEDED,
    ],
    ['release a failed: etcdserver: leader changed', Code.UNAVAILABLE],
    ['release a failed: Unauthorized', Code.UNAVAILABLE],
    ['release a failed: Request entity too large: limit is 3145728', Code.RESOURCE_EXHAUSTED],
    ['getting release \'a\' (v3): no revision for release "a"', Code.NOT_FOUND],
    [
      'YAML parse error on a b/templates/x y.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field',
      Code.INVALID_ARGUMENT,
    ],
    [
      'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type chartutil.Values',
      Code.INVALID_ARGUMENT,
    ],
    [
      'release a failed: Deployment.apps "web" is invalid: spec.selector: Invalid value: v1.LabelSelector{}: field is immutable',
      Code.FAILED_PRECONDITION,
    ],
    // what a chart's author or an administrator writes is no network's word
    [
      'render error in "a/templates/b.yaml": template: a: error calling fail: dial tcp 1.2.3.4:5: connect: connection refused',
      Code.INVALID_ARGUMENT,
    ],
    [
      'release a failed: admission webhook "v" denied the request: context deadline exceeded',
      Code.PERMISSION_DENIED,
    ],
    ['release a failed: Internal error occurred: no reason', Code.UNKNOWN],
  ];
  for (const [text, code] of alike) assert.equal(translateTillerCode(Code.UNKNOWN, text), code, text);
});

test('long and hostile texts are read in linear time', () => {
  const starts = [
    '',
    'release a failed: ',
    'validation failed: ',
    'x509: ',
    'dial tcp ',
    'a is invalid: ',
    'a is forbidden: ',
  ];
  const parts = [
    ' ',
    ': ',
    '"',
    'release a failed: ',
    ' is invalid: ',
    'net/http: request canceled',
    'dial tcp a',
    '(',
    'x509: a',
    'a',
  ];
  const ms = cpuMsOf(() => {
    for (const start of starts)
      for (const part of parts) translateTillerCode(Code.UNKNOWN, start + part.repeat(100_000));
  });
  assert.ok(ms < 2000, `${ms} ms`);
});
