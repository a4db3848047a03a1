/** A gateway for one Tiller does not load what only a hub needs, and shows nothing of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { startGatewayProcess } from './support/gateway-process.ts';

/** Files and packages that a file loads before its first line runs, and what these load. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.endsWith('.ts')) return seen;
  const text = readFileSync(file, 'utf8');
  const imports = /^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  for (const [, name = ''] of text.matchAll(imports)) {
    loadedBy(name.startsWith('.') ? resolve(dirname(file), name) : name, seen);
  }
  return seen;
}

test('the proxy library and the Kubernetes library are loaded on demand only', () => {
  const gateway = loadedBy(resolve('src/app/gateway.ts'));
  assert.ok(gateway.has(resolve('src/clusters/registry.ts')) && gateway.has('express'));
  assert.ok(!gateway.has('http-proxy-middleware') && !gateway.has('@kubernetes/client-node'));
});

test('without clusters none of it is there', async t => {
  const { port, lines } = await startGatewayProcess(t);
  const response = await fetch(`http://127.0.0.1:${port}/clusters`);
  assert.equal(response.status, 404);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.ok(!metrics.includes('tiller_gateway_clusters') && !metrics.includes('cluster_calls'));
  assert.ok(lines.every(({ message }) => !/serving \d+ clusters/.test(String(message))));
});
