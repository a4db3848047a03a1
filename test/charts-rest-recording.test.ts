import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Charts } from '../src/charts/index.ts';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { GatewayError } from '../src/protocol/index.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { comparable } from './charts/compare-requests.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { createTestCharts } from './support/test-charts.ts';

/** A step of rest-v2.jsonl that names a chart by URL. */
interface Step {
  readonly id: string;
  readonly http: { readonly request: { readonly body?: Body | string } };
  readonly grpc: readonly { readonly method: string; readonly requests: readonly string[] }[];
}

interface Body {
  readonly chart_url?: string;
  readonly chartUrl?: string;
  readonly values?: { readonly raw?: string; readonly values?: Record<string, { value: string }> } | null;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

interface Expectation {
  readonly expect: string;
  readonly otherRequest?: boolean;
  readonly contains?: string;
}

const folder = `${import.meta.dirname}/conformance`;
const expectations: { steps?: Record<string, Expectation> } & Record<string, Expectation> = JSON.parse(
  readFileSync(`${folder}/expectations.json`, 'utf8'),
);
const steps = readFileSync(`${folder}/rest-v2.jsonl`, 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line) as Step)
  .filter(step => typeof urlOf(step) === 'string');

/** Faults of the chart or its place: the gateway finds them before it asks Tiller. */
const refusedHere = [
  'install-missing-dependency',
  'install-not-an-archive',
  'install-empty-archive',
  'install-no-chart-yaml',
  'install-404',
  'install-401',
];

let server: TestServer;
let charts: Charts;

before(async () => {
  server = await startServer((request, response) => {
    const [, area = '', name = ''] = /^\/(?:(private|token)\/)?([^/]+)$/.exec(request.url ?? '') ?? [];
    const wanted = { private: `Basic ${btoa('reader:s3cret')}`, token: 'Bearer tok-123' }[area];
    const file = `${folder}/charts/${name}`;
    if (wanted && request.headers.authorization !== wanted) response.writeHead(401).end();
    else if (existsSync(file)) response.writeHead(200).end(readFileSync(file));
    else response.writeHead(404).end('no such chart');
  });
  charts = createTestCharts({ allowLoopback: true });
});

after(async () => {
  await charts.close();
  await server[Symbol.asyncDispose]();
});

test('the recording has steps with chart_url', () => assert.ok(steps.length > 30, `${steps.length}`));

for (const step of steps) {
  const expectation = expectations.steps?.[step.id] ?? expectations[step.id];
  if (refusedHere.includes(step.id)) {
    test(`${step.id}: is refused, saying what is wrong`, async () => {
      await assert.rejects(resolve(step), (error: unknown) => {
        assert.ok(error instanceof GatewayError);
        assert.equal(error.code, 3);
        assert.ok(error.message.includes(expectation?.contains ?? '?'), error.message);
        return true;
      });
    });
    continue;
  }
  const call = step.grpc.find(({ method }) => /InstallRelease|UpdateRelease/.test(method));
  const wire = call?.requests[0];
  if (!call || wire === undefined) continue;
  test(`${step.id}: Tiller gets what swift sent`, async () => {
    const recorded = decodeMessage(
      call.method.endsWith('UpdateRelease')
        ? 'hapi.services.tiller.UpdateReleaseRequest'
        : 'hapi.services.tiller.InstallReleaseRequest',
      Buffer.from(wire, 'base64'),
    );
    const resolved = await resolve(step);
    assert.deepEqual(decodeMessage('hapi.chart.Config', resolved.values), recorded.values);
    const chart = comparable(decodeMessage('hapi.chart.Chart', resolved.chart));
    // swift lost values imported by name: facts/swift.md, fault 12
    const swifts = comparable(recorded.chart);
    if (expectation?.otherRequest) assert.deepEqual(withoutValues(chart), withoutValues(swifts));
    else assert.deepEqual(chart, swifts);
  });
}

function urlOf({ http }: Step): string | undefined {
  const { body } = http.request;
  return typeof body === 'object' ? (body.chart_url ?? body.chartUrl) : undefined;
}

function resolve(step: Step) {
  const body = step.http.request.body as Body;
  const chartUrl = (urlOf(step) ?? '').replace('127.0.0.1:18080', `127.0.0.1:${server.port}`);
  const { username, password, token } = body;
  const values = encodeMessage('hapi.chart.Config', body.values ?? {});
  return charts.resolve(chartRequest({ chartUrl, username, password, token, values }), noSignal);
}

function withoutValues(chart: unknown): unknown {
  return { ...(chart as object), values: undefined };
}
