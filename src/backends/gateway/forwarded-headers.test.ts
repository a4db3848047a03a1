import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answeredHeaders, forwardedHeaders } from './forwarded-headers.ts';

describe('headers that go on to a cluster', () => {
  test('never are those that decide who someone is', () => {
    const given = {
      authorization: 'Bearer mine',
      cookie: 'session=1',
      'impersonate-user': 'admin',
      'impersonate-group': 'system:masters',
      'x-remote-user': 'admin',
      'x-kubetoken': 't',
      'x-forwarded-for': '10.0.0.1',
      expect: '100-continue',
      'transfer-encoding': 'chunked',
      ':path': '/x',
      accept: 'application/json',
      'content-type': 'application/json',
    };
    assert.deepEqual(forwardedHeaders(given, 'id-1', undefined), {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-request-id': 'id-1',
    });
  });

  test('carry what is left of the deadline', () => {
    const { 'grpc-timeout': timeout } = forwardedHeaders({}, 'id', performance.now() + 5_000);
    const [, milliseconds] = /^(\d+)m$/.exec(String(timeout)) ?? [];
    assert.ok(Number(milliseconds) > 0 && Number(milliseconds) <= 5_000, String(timeout));
  });

  test('ask for an upgrade only where there is one', () => {
    const given = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'k' };
    assert.deepEqual(forwardedHeaders(given, 'id', undefined), { 'x-request-id': 'id' });
    assert.deepEqual(forwardedHeaders(given, 'id', undefined, true), { ...given, 'x-request-id': 'id' });
  });
});

test('headers of an answer come back but for those of the connection and of this gateway', () => {
  const given = {
    'content-type': 'application/json',
    allow: 'GET',
    connection: 'close',
    'set-cookie': ['a=b'],
    'access-control-allow-origin': '*',
    'www-authenticate': 'Basic',
  };
  assert.deepEqual(answeredHeaders(given), [
    ['content-type', 'application/json'],
    ['allow', 'GET'],
  ]);
});
