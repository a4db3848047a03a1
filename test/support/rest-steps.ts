/** The recorded REST steps as a test: sends one, and holds the answer against what is expected of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChartServer, recordedChartPort } from './chart-server.ts';
import type { Playback } from './playback.ts';
import { conformanceFolder, type RecordedStep, readRestSteps } from './recording.ts';
import type { StubTiller } from './stub-tiller.ts';

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

export const restSteps = readRestSteps();

/** swift never asked Tiller for a HEAD; here it has to ask what a GET asks. */
const callsOfGet = restSteps.find(step => step.id === 'list')?.grpc ?? [];

/** The gateway, and the Tiller behind it that plays the recording back. */
export interface Stage {
  /** What stands before the recorded path. */
  readonly url: string;
  readonly stub: StubTiller;
  readonly playback: Playback;
  readonly chartServer: ChartServer;
}

export async function playStep(
  recorded: RecordedStep,
  { url, stub, playback, chartServer }: Stage,
): Promise<void> {
  const step = withChartsAt(recorded, chartServer.port);
  const wanted = expectations[step.id];
  assert.ok(wanted, `${step.id} has an expectation`);
  const same = wanted.expect === 'same';
  const calls = step.id === 'route-head' ? callsOfGet : step.grpc;
  playback.load(wanted.noCall ? [] : calls, { compareRequests: same && !wanted.otherRequest });
  const before = stub.callCount;
  const got = await send(url, step.http.request);
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
}

/** The same step with the charts where they are served now. */
function withChartsAt(step: RecordedStep, port: number): RecordedStep {
  const place = new RegExp(`(127\\.0\\.0\\.1(?::|%3A))${recordedChartPort}\\b`, 'g');
  return { ...step, http: JSON.parse(JSON.stringify(step.http).replace(place, `$1${port}`)) };
}

async function send(
  url: string,
  { method, path, headers, body }: RecordedStep['http']['request'],
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url + path, {
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
