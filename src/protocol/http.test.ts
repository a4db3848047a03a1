import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, codeToHttpStatus, httpStatusToCode } from './code.ts';
import { GatewayError } from './gateway-error.ts';
import { errorToHttpStatus } from './http.ts';

test('a status leads back to a code with the same status', () => {
  for (const code of Object.values(Code)) {
    const status = codeToHttpStatus(code);
    assert.equal(codeToHttpStatus(httpStatusToCode(status)), status);
  }
});

test('statuses without a code of their own', () => {
  const codes = [200, 204, 304, 405, 409, 413, 418, 500, 502].map(httpStatusToCode);
  assert.deepEqual(codes, [0, 0, 0, 12, 10, 8, 2, 2, 2]);
});

test('a reason decides where it is more exact than the code', () => {
  const statusOf = (code: Code, reason?: GatewayError['reason']) =>
    errorToHttpStatus(new GatewayError(code, 'x', { reason }));
  assert.equal(statusOf(Code.UNIMPLEMENTED), 501);
  assert.equal(statusOf(Code.UNIMPLEMENTED, 'METHOD_NOT_ALLOWED'), 405);
  assert.equal(statusOf(Code.RESOURCE_EXHAUSTED), 429);
  assert.equal(statusOf(Code.RESOURCE_EXHAUSTED, 'BODY_TOO_LARGE'), 413);
});
