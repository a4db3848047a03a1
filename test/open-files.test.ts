/** A process that may have few files open says so, and leaves a line and a count for the connections that it cannot have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { openSocket } from './support/listener-stage.ts';
import { startStubTiller } from './support/stub-tiller.ts';

const isLinux = process.platform === 'linux';

test('more connections than open files', { skip: !isLinux && 'only Linux tells the bound' }, async t => {
  const stub = await startStubTiller();
  t.after(() => stub.stop());
  const flags = ['--connector=direct', `--tiller-endpoint=${stub.address}`];
  const { port, lines, seen, exit, signal } = await startGatewayProcess(t, flags, { openFiles: 80 });
  await seen(/^--max-connections is taken as \d+: this process may have 80 open files$/);
  for (let count = 0; count < 200; count++) {
    const socket = await openSocket(t, port);
    socket.on('error', () => {}).write('GET / HTTP/1.1\r\nHost: local');
  }
  await seen(/^too many connections are open/);
  const read = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  await eventually(async () => /refused_total\{what="connections"\} [1-9]\d/.test(await read('/metrics')));
  assert.match(await read('/tiller/v2/version/json'), /^200 .*v2\.17\.0/s);
  assert.ok(!lines.some(line => JSON.stringify(line).includes('EMFILE')));
  signal('SIGTERM');
  assert.equal(await exit, 0);
});
