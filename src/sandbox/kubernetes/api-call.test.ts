import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { anyPath } from '../../../test/support/any-text.ts';
import { parseRoute } from './api-call.ts';

const proxy = '/api/v1/namespaces/kube-system/services/swift:http/proxy';

describe('parseRoute', () => {
  const cases: [string, object][] = [
    ['/api/v1/pods', { resource: 'pods' }],
    ['/api/v1/namespaces', { resource: 'namespaces' }],
    ['/api/v1/namespaces/a', { resource: 'namespaces', name: 'a' }],
    ['/api/v1/namespaces/a/pods', { namespace: 'a', resource: 'pods' }],
    ['/api/v1/namespaces/a/pods/p', { namespace: 'a', resource: 'pods', name: 'p' }],
    [
      '/api/v1/namespaces/a/pods/p/portforward',
      { namespace: 'a', resource: 'pods', name: 'p', subresource: 'portforward' },
    ],
    [proxy, { namespace: 'kube-system', resource: 'services', name: 'swift:http', subresource: 'proxy' }],
    [
      `${proxy}/a%2Fb`,
      {
        namespace: 'kube-system',
        resource: 'services',
        name: 'swift:http',
        subresource: 'proxy',
        rest: '/a%2Fb',
      },
    ],
    ['/apis/apps/v1/deployments', { group: 'apps', resource: 'deployments' }],
    [
      '/apis/a.b/v2/namespaces/n/c.d/x',
      { group: 'a.b', version: 'v2', namespace: 'n', resource: 'c.d', name: 'x' },
    ],
    ['/api/v1/namespaces/a/status', { resource: 'namespaces', name: 'a', subresource: 'status' }],
    ['/api/v1/namespaces/a/pods/p%3Aq', { namespace: 'a', resource: 'pods', name: 'p:q' }],
  ];
  for (const [path, expected] of cases) {
    test(path, () => {
      const nothing = {
        group: '',
        version: 'v1',
        namespace: undefined,
        name: undefined,
        subresource: undefined,
        rest: '',
      };
      assert.deepEqual(parseRoute(path), { ...nothing, ...expected });
    });
  }

  for (const path of [
    '/',
    '/api/v1',
    '/api/v1/',
    '/apis/apps/deployments',
    '/api/v1/pods/%zz',
    '/api/v1/Pods',
  ]) {
    test(`knows nothing of ${path}`, () => assert.equal(parseRoute(path), undefined));
  }

  test('never fails', () => {
    fc.assert(
      fc.property(anyPath(), path => {
        const route = parseRoute(`/api/v1${path}`);
        return route === undefined || route.resource !== '';
      }),
      { numRuns: 300 },
    );
  });
});
