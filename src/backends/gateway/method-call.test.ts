import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage, service } from '../../codec/index.ts';
import { toMethodRequest } from './method-call.ts';

const { methods } = service('appscode.swift.v2.ReleaseService');
const methodOf = (name: string) => methods.find(method => method.name === name)!;

describe('a call as an HTTP request', () => {
  test('without a body says its fields in path and query', () => {
    const request = encodeMessage('appscode.swift.v2.SummarizeReleasesRequest', {
      limit: 3,
      filter: '^a&b',
      status_codes: ['DEPLOYED', 'FAILED'],
    });
    assert.deepEqual(toMethodRequest(methodOf('SummarizeReleases'), request), {
      verb: 'GET',
      target: '/tiller/v2/releases/json?limit=3&filter=%5Ea%26b&status_codes=DEPLOYED&status_codes=FAILED',
      body: undefined,
      timeoutSeconds: 0n,
    });
    const status = encodeMessage('appscode.swift.v2.GetReleaseStatusRequest', { name: 'x', version: 2 });
    assert.equal(
      toMethodRequest(methodOf('GetReleaseStatus'), status).target,
      '/tiller/v2/releases/x/status/json?version=2',
    );
  });

  test('takes the binding with a body where there is one', () => {
    const request = encodeMessage('hapi.services.tiller.RollbackReleaseRequest', { name: 'a', version: 1 });
    const { verb, target, body } = toMethodRequest(methodOf('RollbackRelease'), request);
    assert.deepEqual([verb, target], ['POST', '/tiller/v2/releases/a/rollback/json']);
    assert.deepEqual(JSON.parse(String(body)), { name: 'a', version: 1 });
  });

  test('installs without a name where none is given', () => {
    const request = encodeMessage('appscode.swift.v2.InstallReleaseRequest', { namespace: 'n' });
    assert.equal(toMethodRequest(methodOf('InstallRelease'), request).target, '/tiller/v2/releases/json');
  });

  for (const name of ['..', '.', '../x', 'a/b', 'a%2fb', 'ü', 'a b', 'a?b']) {
    test(`never makes a path of ${name}`, () => {
      const request = encodeMessage('appscode.swift.v2.GetReleaseStatusRequest', { name });
      assert.throws(() => toMethodRequest(methodOf('GetReleaseStatus'), request), {
        code: 3,
        message: /^invalid release name/,
      });
    });
  }

  test('says which field is missing', () => {
    assert.throws(() => toMethodRequest(methodOf('GetReleaseStatus'), Buffer.alloc(0)), {
      code: 3,
      message: 'GetReleaseStatus needs the field name',
    });
  });
});
