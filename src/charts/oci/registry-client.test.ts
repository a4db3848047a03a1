import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartRequest, noSignal } from '../../../test/charts/charts-request.ts';
import { makeChart } from '../../../test/charts/make-archive.ts';
import { OciRegistry } from '../../../test/charts/oci-registry.ts';
import { startServer } from '../../../test/charts/repository-server.ts';
import { createTestCharts } from '../../../test/support/test-charts.ts';

test('a token that is due to be renewed between the manifest and the archive is good for both', async () => {
  const registry = new OciRegistry('robot', 's3cret');
  registry.authentication = 'bearer';
  registry.tokens.add('short');
  registry.addChart('web', '1.0.0', makeChart({ 'Chart.yaml': 'name: web\nversion: 1.0.0' }));
  // such a token is kept for a second
  registry.hook = (request, response) => {
    if (request.url?.startsWith('/service/token')) response.end('{"token":"short","expires_in":6}');
    else if (!request.url?.includes('/manifests/') || !request.headers.authorization) return false;
    else
      setTimeout(() => {
        registry.hook = undefined;
        registry.answer(request, response);
      }, 1100);
    return true;
  };
  await using server = await startServer((request, response) => registry.answer(request, response));
  const charts = createTestCharts({ allowLoopback: true, timeoutMs: 20_000 });
  try {
    const chartUrl = `oci://127.0.0.1:${server.port}/web:1.0.0`;
    const { chart } = await charts.resolve(chartRequest({ chartUrl }), noSignal);
    assert.ok(chart.length > 0);
  } finally {
    await charts.close();
  }
});
