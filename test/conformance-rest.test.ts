/** The 137 recorded steps of swift, played against this gateway in front of a Tiller that plays the recording back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startChartServer } from './support/chart-server.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { Playback } from './support/playback.ts';
import { conformanceFolder, type RecordedStep, readRestSteps } from './support/recording.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';

interface Expectation {
  expect: 'same' | 'better';
  status?: number | 'free' | 'history' | 'options';
  code?: number;
  contains?: string;
  noCall?: boolean;
  otherRequest?: boolean;
}

const expectations: Record<string, Expectation> = JSON.parse(
  readFileSync(join(conformanceFolder, 'expectations.json'), 'utf8'),
);

let stub: StubTiller;
let playback: Playback;
let gateway: TestGateway;
let chartServer: AsyncDisposable;

before(async () => {
  stub = await startStubTiller();
  playback = new Playback(stub);
  chartServer = await startChartServer();
  gateway = await startTestGateway(stub.address, { charts: { allowLoopback: true } });
});

after(async () => {
  await gateway[Symbol.asyncDispose]();
  await chartServer[Symbol.asyncDispose]();
  await stub.stop();
});

async function send({ method, path, headers, body }: RecordedStep['http']['request']): Promise<{
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(gateway.url + path, {
    method,
    headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(text !== undefined && { body: text }),
  });
  const answer = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && answer !== '';
  return { status: response.status, headers: response.headers, json: isJson ? JSON.parse(answer) : {} };
}

/** A list carries what swift loses; everything else has to be the same. */
function withoutPaging(json: Record<string, unknown>): Record<string, unknown> {
  const { count: _count, next: _next, total: _total, ...rest } = json;
  return rest;
}

const steps = readRestSteps();

/** swift never asked Tiller for a HEAD; here it has to ask what a GET asks. */
const callsOfGet = steps.find(step => step.id === 'list')?.grpc ?? [];

for (const step of steps) {
  const wanted = expectations[step.id];
  assert.ok(wanted, `${step.id} has an expectation`);
  test(`${step.id}: ${step.http.request.method} ${step.http.request.path.slice(0, 80)}`, async () => {
    const same = wanted.expect === 'same';
    const calls = step.id === 'route-head' ? callsOfGet : step.grpc;
    playback.load(wanted.noCall ? [] : calls, { compareRequests: same && !wanted.otherRequest });
    const before = stub.callCount;
    const got = await send(step.http.request);
    const made = stub.callCount - before;
    if (same) {
      assert.equal(got.status, step.http.response.status);
      assert.deepEqual(withoutPaging(got.json), JSON.parse(step.http.response.body));
      assert.deepEqual(playback.faults(), []);
    } else if (wanted.status === 'options') {
      assert.equal(got.status, 204);
      assert.match(got.headers.get('allow') ?? '', /GET/);
    } else if (wanted.status === 'history') {
      assert.equal(got.status, 200);
    } else if (wanted.status !== 'free') {
      assert.equal(got.status, wanted.status);
      if (wanted.code !== undefined) assert.equal(got.json.code, wanted.code);
      if (wanted.contains)
        assert.ok(String(got.json.message).includes(wanted.contains), String(got.json.message));
      if (wanted.status === 405) assert.match(got.headers.get('allow') ?? '', /GET/);
    }
    if (wanted.noCall) assert.equal(made, 0);
  });
}
