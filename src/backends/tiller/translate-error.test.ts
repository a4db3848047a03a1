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

/** Further texts of the kinds that were measured, as Tiller 2.17, client-go, its drivers and Go's net/http word them. */
const siblings: readonly (readonly [Code, readonly string[]])[] = [
  [
    Code.UNAVAILABLE,
    [
      'Get https://kubernetes.default:443/version: dial tcp: lookup kubernetes.default on 10.96.0.10:53: read udp 10.1.1.1:3333->10.96.0.10:53: i/o timeout',
      'dial tcp: lookup kubernetes.default: Try again',
      'dial tcp 10.96.0.1:443: connect: cannot assign requested address',
      'dial tcp 10.96.0.1:443: socket: too many open files',
      'Post https://10.96.0.1:443/api: http2: server sent GOAWAY and closed the connection; LastStreamID=1999, ErrCode=NO_ERROR, debug=""',
      'http2: no cached connection was available',
      'Get https://10.96.0.1:443/version: stream error: stream ID 17; REFUSED_STREAM',
      'connection error: PROTOCOL_ERROR',
      'Get https://10.96.0.1:443/version: Bad Gateway',
      'Get https://10.96.0.1:443/version: http: server gave HTTP response to HTTPS client',
      'Get https://10.96.0.1:443/version: malformed HTTP response "\\x15\\x03"',
      'transport is closing',
      'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token',
      'rpc error: code = ResourceExhausted desc = etcdserver: too many requests',
      'Internal error occurred: etcdserver: request timed out',
      'pq: password authentication failed for user "helm"',
      'pq: no pg_hba.conf entry for host "10.0.0.1", user "helm", database "helm", SSL off',
      'pq: cannot execute INSERT in a read-only transaction',
      'Could not get apiVersions from Kubernetes: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is currently unable to handle the request',
      'Could not get apiVersions from Kubernetes: the server has asked for the client to provide credentials',
      'unable to recognize "": Unauthorized',
      'validation failed: unable to recognize "": the server is currently unable to handle the request',
      'Too many requests: Too many requests, please try again later.',
      'release a failed: Internal error occurred: failed calling webhook "v.a": Post https://s.n.svc:443/v?timeout=30s: no endpoints available for service "s"',
      'release a failed: Internal error occurred: failed calling webhook "v.a": Post "https://s.n.svc:443/v?timeout=30s": service "s" not found',
      'release a failed: conversion webhook for a.b/v1, Kind=X failed: Post https://c.d.svc:443/?timeout=30s: service "c" not found',
      'an error on the server ("apiserver is shutting down") has prevented the request from succeeding (get pods)',
      'an error on the server ("Error: \\"/api\\": dial tcp 10.0.0.1:443: connect: connection refused") has prevented the request from succeeding',
      'failed to create resource: an error on the server ("http2: client connection lost") has prevented the request from succeeding',
    ],
  ],
  [
    Code.DEADLINE_EXCEEDED,
    [
      'rpc error: code = Unknown desc = context deadline exceeded',
      'pq: canceling statement due to statement timeout',
      'Internal error occurred: resource quota evaluates timeout',
    ],
  ],
  [
    Code.RESOURCE_EXHAUSTED,
    [
      'rpc error: code = InvalidArgument desc = etcdserver: request is too large',
      'ConfigMap "a.v1" is invalid: []: Too long: must have at most 1048576 characters',
      'Secret "a.v1" is invalid: data: Too long: must have at most 1048576 bytes',
      'pq: could not extend file "base/1/2": No space left on device',
    ],
  ],
  [
    Code.ABORTED,
    [
      'pq: deadlock detected',
      'Operation cannot be fulfilled on pods "p": StorageError: x && services "s" already exists',
    ],
  ],
  [
    Code.PERMISSION_DENIED,
    [
      'release a failed: admission webhook "v.a" denied the request without explanation',
      'Could not get information about the resource: err: configmaps "x" is forbidden: User "s" cannot get resource "configmaps"',
      'pods "x" is forbidden: User "a is invalid: b" cannot get resource "pods"',
    ],
  ],
  [
    Code.ALREADY_EXISTS,
    ['Failed to recreate resource: services "x" already exists', 'services "a" already exists && boom'],
  ],
  [
    Code.FAILED_PRECONDITION,
    [
      'Service "a" is invalid: spec.clusterIP: Invalid value: "": field is immutable && failed to create resource: boom',
      'the server does not allow this method on the requested resource (patch foos.a.b)',
    ],
  ],
  [
    Code.INVALID_ARGUMENT,
    [
      'release a failed: pods "x" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
      'release a failed: error validating "": error validating data: ValidationError(Deployment.spec): missing required field "selector"',
      'release a failed: no matches for kind "X" in version "y/v1"',
      'ConfigMap "x" is invalid: metadata.name: Invalid value: "a is forbidden: b": a DNS-1123 subdomain',
    ],
  ],
  [Code.DATA_LOSS, ["getting release 'a' (v1): flate: corrupt input before offset 5"]],
  [
    Code.UNKNOWN,
    [
      'an error on the server ("unknown") has prevented the request from succeeding (get pods)',
      'release a failed: Internal error occurred: failed calling webhook "v.a": converting x',
      'Internal error occurred: configmaps "x" not found',
      'pq: relation "releases" does not exist',
      'boom && bang',
    ],
  ],
];

for (const [code, texts] of siblings)
  for (const text of texts)
    test(`sibling: ${text.slice(0, 120)}`, () =>
      assert.equal(translateTillerCode(Code.UNKNOWN, text), code, text));

test('long and hostile texts are read in linear time', () => {
  const starts = [
    '',
    'release a failed: ',
    'validation failed: ',
    'x509: ',
    'dial tcp ',
    'a is invalid: ',
    'a is forbidden: ',
    'an error on the server ("',
    'conversion webhook for ',
    'pq: could not extend file "',
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
    ': Get https:a',
    ': http2: a',
    ': malformed HTTP response "',
    ' && ',
    '") has prevented the request from succeeding',
    'unable to recognize "": ',
    'a',
  ];
  const ms = cpuMsOf(() => {
    for (const start of starts)
      for (const part of parts) translateTillerCode(Code.UNKNOWN, start + part.repeat(100_000));
  });
  assert.ok(ms < 2000, `${ms} ms`);
});
