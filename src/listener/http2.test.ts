import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGrpc } from './http2.ts';

test('isGrpc takes gRPC in all its encodings, and nothing that only starts alike', () => {
  for (const type of [
    'application/grpc',
    'application/grpc+proto',
    'Application/gRPC; x=1',
    'application/grpc ',
  ]) {
    assert.ok(isGrpc({ 'content-type': type }), type);
  }
  for (const type of ['application/grpc-web', 'application/grpcs', 'application/json', '']) {
    assert.ok(!isGrpc({ 'content-type': type }), type);
  }
  assert.ok(!isGrpc({}));
});
