import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiRefused } from '../../kubernetes/index.ts';
import { Code } from '../../protocol/index.ts';
import { isCutOff, toError } from './method-call.ts';

test('an API server that lost the gateway behind it is told from one that did not reach it', () => {
  const cases: [number, string, boolean][] = [
    [503, 'error trying to reach service: EOF', true],
    [
      503,
      "error trying to reach service: 'read tcp 10.0.0.1:1->10.0.0.2:80: read: connection reset by peer'",
      true,
    ],
    [502, 'error trying to reach service: write: broken pipe', true],
    [500, 'Timeout: request did not complete within requested timeout 34s', true],
    [504, 'the server was unable to return a response in the time allotted', true],
    [503, 'no endpoints available for service "swift:http"', false],
    [503, "error trying to reach service: 'dial tcp 10.0.0.2:80: i/o timeout'", false],
    [503, "error trying to reach service: 'dial tcp 10.0.0.2:80: connect: connection refused'", false],
    [403, 'services "swift:http" is forbidden', false],
    [429, 'Too many requests, please try again later.', false],
  ];
  for (const [status, message, expected] of cases) {
    const error = new ApiRefused('a step', status, Buffer.from(JSON.stringify({ kind: 'Status', message })));
    assert.equal(isCutOff(error), expected, message);
  }
});

test("a member's error keeps its reason and step, where they are known words", () => {
  const given = { code: 14, message: 'm', reason: 'UPSTREAM_LOST', step: 'finding Tiller' };
  const { code, message, reason, step } = toError(given, Code.UNKNOWN);
  assert.deepEqual({ code, message, reason, step }, given);
  assert.equal(toError({ ...given, reason: 'toString' }, Code.UNKNOWN).reason, 'UPSTREAM_UNREACHABLE');
  assert.equal(toError({ ...given, step: 3 }, Code.UNKNOWN).step, undefined);
});
