import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateObjectName, objectNameFault, requestNameFault, resourceName } from './object-name.ts';

test('names that Kubernetes takes', () => {
  const good: [apiVersion: string, kind: string, name: string][] = [
    ['v1', 'ConfigMap', 'a.b-c.1'],
    ['v1', 'ConfigMap', 'x'.repeat(253)],
    ['v1', 'Service', 'web-1'],
    ['v1', 'Namespace', '1st'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'system:node-Proxier'],
  ];
  for (const [apiVersion, kind, name] of good)
    assert.equal(objectNameFault(apiVersion, kind, { name }), undefined, name);
});

test('names that Kubernetes refuses, each kind by its rule', () => {
  const bad: [apiVersion: string, kind: string, name: string, text: RegExp][] = [
    [
      'v1',
      'ConfigMap',
      'Bad',
      /^ConfigMap "Bad" is invalid: metadata.name: Invalid value: "Bad": a DNS-1123 sub/,
    ],
    ['v1', 'ConfigMap', '', /^ConfigMap "" is invalid: metadata.name: Required value: name or generateName/],
    ['v1', 'ConfigMap', 'x'.repeat(254), /must be no more than 253 characters$/],
    ['apps/v1', 'Deployment', 'a_b', /^Deployment.apps "a_b" is invalid/],
    ['v1', 'Service', '1st', /a DNS-1035 label/],
    ['v1', 'Namespace', 'a.b', /a DNS-1123 label/],
    ['rbac.authorization.k8s.io/v1', 'Role', 'a/b', /may not contain '\/'/],
  ];
  for (const [apiVersion, kind, name, text] of bad)
    assert.match(objectNameFault(apiVersion, kind, { name }) ?? '', text);
});

test('resources as the API server names them', () => {
  assert.equal(resourceName('v1', 'ConfigMap'), 'configmaps');
  assert.equal(resourceName('v1', 'Endpoints'), 'endpoints');
  assert.equal(resourceName('apps/v1', 'Deployment'), 'deployments.apps');
  assert.equal(resourceName('networking.k8s.io/v1', 'NetworkPolicy'), 'networkpolicies.networking.k8s.io');
  assert.equal(resourceName('extensions/v1beta1', 'Ingress'), 'ingresses.extensions');
  assert.equal(resourceName('example.com/v1', 'Gateway'), 'gateways.example.com');
});

test('a prefix may end in a dash, and is checked beside the name that is made of it', () => {
  const fault = (generateName: string, name = generateObjectName(generateName)) =>
    objectNameFault('v1', 'ConfigMap', { name, generateName });
  assert.match(generateObjectName('gen-'), /^gen-[b-z2-9]{5}$/);
  assert.match(generateObjectName('x'.repeat(100)), /^x{58}[b-z2-9]{5}$/);
  assert.equal(fault('gen-'), undefined);
  assert.match(
    fault('Gen-', 'Gen-abcde') ?? '',
    /^ConfigMap "Gen-abcde" is invalid: \[metadata.generateName: Invalid value: "Gen-": a DNS-1123.*, metadata.name: Invalid value: "Gen-abcde": a DNS/,
  );
});

test('names that cannot stand in a request', () => {
  assert.equal(requestNameFault('a-b'), undefined);
  assert.equal(requestNameFault(''), 'resource name may not be empty');
  assert.equal(
    requestNameFault('a/b%'),
    `invalid resource name "a/b%": [may not contain '/' may not contain '%']`,
  );
  assert.equal(requestNameFault('..'), `invalid resource name "..": [may not be '..']`);
});
