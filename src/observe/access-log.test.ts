import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError } from '../protocol/index.ts';
import { accessLine, createAccessLog, type LoggedRequest, type Logger } from './logger.ts';

const request: LoggedRequest = {
  front: 'http',
  verb: 'GET',
  route: '/tiller/v2/releases/{name}/status/json',
  path: '/tiller/v2/releases/web/status/json',
  status: 200,
  code: 0,
  durationMs: 1.23456,
  bytes: 42,
  requestId: 'r-1',
  error: undefined,
};

describe('the access line', () => {
  test('says what an operator asks about a request', () => {
    assert.deepEqual(accessLine(request), {
      level: 'info',
      message: 'GET /tiller/v2/releases/web/status/json 200',
      fields: {
        front: 'http',
        method: 'GET',
        status: 200,
        route: '/tiller/v2/releases/{name}/status/json',
        grpcCode: 'OK',
        durationMs: 1.235,
        bytes: 42,
        requestId: 'r-1',
      },
    });
  });

  test('of a gRPC call names its code', () => {
    const { message, fields } = accessLine({ ...request, front: 'grpc', verb: '', path: '/a.B/C', code: 5 });
    assert.equal(message, '/a.B/C NOT_FOUND');
    assert.equal('status' in fields, false);
  });

  test("warns of the gateway's own failures with their causes, and only mentions the caller's", () => {
    const error = new Error('why', { cause: new Error('for this reason') });
    const failed = accessLine({ ...request, status: 503, code: 14, error });
    assert.equal(failed.level, 'warn');
    assert.match(String(failed.fields.error), /^why ← for this reason\n {4}at /);
    assert.equal(accessLine({ ...request, front: 'grpc', code: 14, error }).level, 'warn');
    assert.equal(accessLine({ ...request, front: 'grpc', code: 5, error }).level, 'info');
    const refused = accessLine({ ...request, status: 404, code: 5, error });
    assert.deepEqual([refused.level, refused.fields.error], ['info', 'why']);
  });

  test('of a probe is there for debugging only, until it fails', () => {
    for (const route of ['/healthz', '/readyz', '/grpc.health.v1.Health/Check']) {
      assert.equal(accessLine({ ...request, route }).level, 'debug');
      assert.equal(accessLine({ ...request, route, status: 503, code: 14 }).level, 'warn');
    }
  });

  test('keeps a long path short', () => {
    assert.ok(accessLine({ ...request, path: '/'.repeat(10_000) }).message.length < 400);
  });
});

test('a probe that keeps failing is warned of once for each reason', () => {
  const lines: string[] = [];
  const logger = Object.fromEntries(
    ['error', 'warn', 'info', 'debug'].map(level => [
      level,
      (message: string, fields: object) =>
        lines.push(`${level} ${message} ${(fields as { error?: string }).error}`),
    ]),
  ) as unknown as Logger;
  const log = createAccessLog(logger, true);
  const probe = (error?: string) =>
    log({
      ...request,
      route: '/readyz',
      path: '/readyz',
      ...(error !== undefined && { status: 503, code: 14 }),
      error,
    });
  for (const error of ['no pod', 'no pod', 'no route', undefined, 'no route']) probe(error);
  assert.deepEqual(lines, [
    'warn GET /readyz 503 no pod',
    'debug GET /readyz 503 no pod',
    'warn GET /readyz 503 no route',
    'debug GET /readyz 200 undefined',
    'warn GET /readyz 503 no route',
  ]);
});

test('of a failed dry run only the first line is logged, and at debug the rest without values', () => {
  const text = `YAML parse error on a/templates/b.yaml: line 3
---
# Source: a/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata:
  name: logins
data:
  admin: aHVudGVyMg==
  list:
    - hunter3
  block: |
    hunter4
`;
  for (const status of [400, 500]) {
    const lines: [string, string, Record<string, unknown>][] = [];
    const write = (level: string) => (message: string, fields: object) =>
      lines.push([level, message, fields as Record<string, unknown>]);
    const logger = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
    const error = new GatewayError(status === 400 ? 3 : 2, text);
    createAccessLog(logger as unknown as Logger, true)({ ...request, status, code: error.code, error });
    const [first, rest] = lines;
    assert.equal(first?.[2].error, 'YAML parse error on a/templates/b.yaml: line 3');
    assert.deepEqual(rest?.slice(0, 2), ['debug', 'the rest of the error']);
    assert.match(
      String(rest?.[2].rest),
      /kind: Secret\nmetadata:\n {2}name: logins\ndata:\n {2}admin: \*\*\*\n/,
    );
    assert.doesNotMatch(JSON.stringify(lines), /aHVudGVyMg|hunter/);
    assert.equal(lines.length, 2);
  }
});

test('a secret that stands where a long first line is cut is masked', () => {
  const error = new Error(`${'x'.repeat(980)} https://user:hunter2hunter2@example.com/`);
  assert.doesNotMatch(String(accessLine({ ...request, status: 404, code: 5, error }).fields.error), /hunter/);
});
