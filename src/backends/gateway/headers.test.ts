import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answeredHeaders, forwardedHeaders } from './headers.ts';

describe('headers that go on to a cluster', () => {
  const given = {
    authorization: 'Bearer mine',
    cookie: 'session=1',
    'impersonate-user': 'admin',
    'impersonate-group': 'system:masters',
    'x-remote-user': 'admin',
    'x-kubetoken': 't',
    'x-cluster': 'other',
    'x-forwarded-for': '10.0.0.1',
    'x-http-method-override': 'DELETE',
    expect: '100-continue',
    'transfer-encoding': 'chunked',
    'content-length': '7',
    connection: 'authorization, close',
    te: 'trailers',
    trailer: 'x',
    ':path': '/x',
    accept: 'application/json',
    'content-type': 'application/json',
    'content-encoding': 'gzip',
  };

  test('never are those that decide who someone is, or how a body is framed', () => {
    assert.deepEqual(forwardedHeaders(given, { requestId: 'id-1', kind: 'body' }), {
      accept: 'application/json',
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-request-id': 'id-1',
    });
    assert.deepEqual(forwardedHeaders(given, { requestId: 'id-1', kind: 'bodyless' }), {
      accept: 'application/json',
      'x-request-id': 'id-1',
    });
  });

  test('carry what is left of the deadline', () => {
    const options = { requestId: 'id', kind: 'bodyless', deadline: performance.now() + 5_000 } as const;
    const { 'grpc-timeout': timeout } = forwardedHeaders({}, options);
    const [, milliseconds] = /^(\d+)m$/.exec(String(timeout)) ?? [];
    assert.ok(Number(milliseconds) > 0 && Number(milliseconds) <= 5_000, String(timeout));
  });

  test('ask for an upgrade only where there is one, and in words of this program', () => {
    const upgrade = { connection: 'keep-alive, Upgrade, x', upgrade: 'websocket', 'sec-websocket-key': 'k' };
    const bodyless = { requestId: 'id', kind: 'bodyless' } as const;
    assert.deepEqual(forwardedHeaders(upgrade, bodyless), { 'x-request-id': 'id' });
    assert.deepEqual(forwardedHeaders(upgrade, { requestId: 'id', kind: 'upgrade' }), {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'k',
      'x-request-id': 'id',
    });
  });
});

test('of an answer only known headers come back, with those that keep a browser from running it', () => {
  const given = {
    'content-type': 'text/html',
    allow: 'GET',
    connection: 'close',
    'set-cookie': ['a=b'],
    'access-control-allow-origin': '*',
    'www-authenticate': 'Basic',
    refresh: '0; url=https://evil.example',
    location: 'https://evil.example',
    link: '</x>; rel=preload',
    'clear-site-data': '"*"',
    'strict-transport-security': 'max-age=1',
    'content-security-policy': "default-src 'unsafe-inline'",
    'http2-settings': 'x',
    'alt-svc': 'h2=":1"',
    'service-worker-allowed': '/',
    'x-content-type-options': 'no',
  };
  assert.deepEqual(answeredHeaders(given), [
    ['content-type', 'text/html'],
    ['allow', 'GET'],
    ['x-content-type-options', 'nosniff'],
    ['content-security-policy', 'sandbox'],
  ]);
  const upgrade = { upgrade: 'websocket', 'sec-websocket-accept': 'k', 'set-cookie': ['a=b'] };
  assert.deepEqual(answeredHeaders(upgrade, true), [
    ['upgrade', 'websocket'],
    ['sec-websocket-accept', 'k'],
  ]);
});
