/** A write waits in Tiller for as long as its request says: the gateway waits half a minute longer, whatever its own bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const release = '/tiller/v2/releases/a';
const chart = { metadata: { name: 'a', version: '1.0.0' } };

/** The seconds that Tiller is given for the call, by its `grpc-timeout`. */
async function secondsFor(stub: StubTiller, method: string, url: string, verb: string, body?: object) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: verb, ...(body && { headers, body: JSON.stringify(body) }) });
  await answer.arrayBuffer();
  const call = stub.callsOf(method).at(-1);
  assert.ok(call, `${method} did not arrive: ${answer.status}`);
  return (Number(call.deadline) - Date.now()) / 1000;
}

const writes: [method: string, verb: string, path: string, body?: object][] = [
  ['InstallRelease', 'POST', `${release}/json`, { chart, timeout: 120 }],
  ['UpdateRelease', 'PUT', `${release}/json`, { chart, timeout: 120 }],
  ['RollbackRelease', 'POST', `${release}/rollback/json`, { timeout: 120 }],
  ['UninstallRelease', 'DELETE', `${release}/json?timeout=120`],
  ['RunReleaseTest', 'POST', `${release}/test/json`, { timeout: 120 }],
];

test('a write is given 30 s more than it asks for, or 330 s; a read is given the bound', async t => {
  const stub = await startStubTiller({ replies: { '*': {} } });
  t.after(() => stub.stop());
  const { url } = await startWholeGateway(t, stub, ['--tiller-timeout=20s']);
  for (const [method, verb, path, body] of writes) {
    const seconds = await secondsFor(stub, method, url + path, verb, body);
    assert.ok(seconds > 130 && seconds <= 150.5, `${method}: ${seconds} s`);
  }
  // Helm's client asks for 300 s where nobody says otherwise
  const usual = await secondsFor(stub, 'RollbackRelease', `${url}${release}/rollback/json`, 'POST');
  assert.ok(usual > 310 && usual <= 330.5, `${usual} s`);
  const read = await secondsFor(stub, 'GetReleaseStatus', `${url}${release}/status/json`, 'GET');
  assert.ok(read > 0 && read <= 20.5, `${read} s`);
});
