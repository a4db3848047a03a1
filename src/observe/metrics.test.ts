import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMetrics, type RequestOutcome } from './metrics.ts';

const outcome: RequestOutcome = {
  front: 'http',
  route: '/tiller/v2/releases/json',
  verb: 'GET',
  status: 200,
  code: 0,
  durationMs: 4,
  bytes: 100,
};

describe('metrics', () => {
  test('count requests, bytes, durations and requests in progress', async () => {
    const metrics = createMetrics('1.2.3');
    metrics.requestStarted('http');
    metrics.requestStarted('http');
    metrics.requestFinished(outcome);
    metrics.requestStarted('grpc');
    metrics.requestFinished({ ...outcome, front: 'grpc', verb: '', route: '/a.B/C', code: 5 });
    const { body, type } = await metrics.render();
    assert.match(type, /^text\/plain/);
    const lines = new Set(body.split('\n'));
    for (const line of [
      'tiller_gateway_build_info{version="1.2.3"} 1',
      'tiller_gateway_requests_total{front="http",verb="GET",route="/tiller/v2/releases/json",status="200",code="OK"} 1',
      'tiller_gateway_requests_total{front="grpc",verb="",route="/a.B/C",status="200",code="NOT_FOUND"} 1',
      'tiller_gateway_response_bytes_total{route="/tiller/v2/releases/json"} 100',
      'tiller_gateway_requests_in_flight{front="http"} 1',
      'tiller_gateway_requests_in_flight{front="grpc"} 0',
      'tiller_gateway_request_duration_seconds_bucket{le="0.005",front="http",route="/tiller/v2/releases/json"} 1',
      'tiller_gateway_request_duration_seconds_bucket{le="0.0025",front="http",route="/tiller/v2/releases/json"} 0',
    ]) {
      assert.ok(lines.has(line), line);
    }
    assert.match(body, /^process_cpu_seconds_total/m);
    assert.match(body, /^nodejs_eventloop_lag/m);
  });

  test('count calls to Tiller, open connections and bytes in flight', async () => {
    const metrics = createMetrics('1');
    metrics.tillerCalled('GetVersion', 0, 1);
    metrics.tillerCalled('GetVersion', 14, 1);
    metrics.watch({ connections: () => ({ total: 6, http1: 3, http2: 2 }), inFlightBytes: () => 7 });
    const { body } = await metrics.render();
    assert.match(body, /^tiller_gateway_tiller_calls_total\{method="GetVersion",code="UNAVAILABLE"\} 1$/m);
    assert.match(body, /^tiller_gateway_tiller_call_duration_seconds_count\{method="GetVersion"\} 2$/m);
    assert.match(body, /^tiller_gateway_connections\{protocol="other"\} 1$/m);
    assert.match(body, /^tiller_gateway_in_flight_bytes 7$/m);
  });

  test('have a bound on series, whatever clients send', async () => {
    const metrics = createMetrics('1');
    for (let index = 0; index < 5000; index++) {
      metrics.requestFinished({ ...outcome, verb: `VERB${index}`, route: `/r${index}` });
    }
    const { body } = await metrics.render();
    const series = body.split('\n').filter(line => line.startsWith('tiller_gateway_requests_total{'));
    assert.ok(series.length <= 1001, String(series.length));
    assert.match(body, /verb="other",route="other",status="other",code="OK"\} 4000$/m);
  });
});
