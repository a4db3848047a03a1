/** The command line of the real program. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { runMain, startGatewayProcess } from './support/gateway-process.ts';
import { portOf } from './support/listener-stage.ts';

describe('the command', () => {
  test('--help and --version answer and end', async () => {
    const help = await runMain(['--help', '--nonsense']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /^tiller-gateway: .*--drain-timeout DURATION/s);
    const version = await runMain(['--version']);
    const { version: expected } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual([version.code, version.stdout], [0, `${expected}\n`]);
  });

  test('reports all mistakes at once and exits 2', async () => {
    const { code, stderr, stdout } = await runMain(['--adr=:1', '--max-streams=0'], {
      TILLER_GATEWAY_TLS_ONLY: 'x',
    });
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.deepEqual(stderr.trim().split('\n'), [
      '--adr is not a flag; did you mean --addr?',
      'TILLER_GATEWAY_TLS_ONLY: "x" is neither true nor false',
      '--max-streams: 0 is not in 1 to 100000',
    ]);
  });

  test('--print-config shows what environment and flags came to, secrets masked', async () => {
    const { code, stdout } = await runMain(['--print-config', '--tiller-endpoint=https://u:hunter2@t:1'], {
      TILLER_GATEWAY_DRAIN_TIMEOUT: '90s',
    });
    assert.equal(code, 0);
    assert.match(stdout, /^drain-timeout: 1m30s$/m);
    assert.match(stdout, /^connector: direct$/m);
    assert.doesNotMatch(stdout, /hunter2/);
  });

  test('says why it cannot start and exits 1', async t => {
    const taken = createServer();
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
    t.after(() => taken.close());
    const port = portOf(taken.address() as never);
    const { code, stdout } = await runMain([`--addr=127.0.0.1:${port}`, '--tiller-endpoint=127.0.0.1:1']);
    assert.equal(code, 1);
    assert.match(stdout, /cannot listen on 127\.0\.0\.1:\d+: another program listens there/);
  });
});

test("swift's arguments start the program, each with a warning; its command version works", async t => {
  const swift = ['run', '--v=4', '--tiller-insecure-skip-verify=true', '--enable-analytics=false'];
  const glog = ['--logtostderr', '--alsologtostderr=true', '--stderrthreshold=2', '--log_dir=/tmp'];
  glog.push('--log_backtrace_at=:0', '--log-flush-frequency=5s', '--vmodule=a=1');
  const others = ['--api-domain=example.com', '--secure-addr=127.0.0.1:0'];
  const gateway = await startGatewayProcess(t, [...swift, ...others, ...glog]);
  assert.equal((await fetch(`http://127.0.0.1:${gateway.port}/tiller/v2/version/json`)).status, 200);
  const warnings = gateway.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  assert.deepEqual(warnings.map(message => String(message).split(':')[0]).sort(), [
    '--alsologtostderr',
    '--api-domain',
    '--enable-analytics',
    '--log-flush-frequency',
    '--log_backtrace_at',
    '--log_dir',
    '--logtostderr',
    '--secure-addr',
    '--stderrthreshold',
    '--tiller-insecure-skip-verify',
    '--v',
    '--vmodule',
  ]);
  await gateway.seen(/^GET \/tiller\/v2\/version\/json 200$/);
  const version = await runMain(['version']);
  assert.deepEqual(
    [version.code, version.stdout],
    await runMain(['--version']).then(it => [it.code, it.stdout]),
  );
  assert.match(version.stderr, /^version: prints this gateway's version/);
});

describe('--health-check', () => {
  test('exits 0 while the gateway is alive and ready', async t => {
    const { port } = await startGatewayProcess(t);
    const environment = { TILLER_GATEWAY_ADDR: `127.0.0.1:${port}` };
    assert.equal((await runMain(['--health-check', 'live'], environment)).code, 0);
    // on a busy machine the first look at Tiller takes longer than a probe may
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    const ready = await runMain(['--health-check', 'ready'], environment);
    assert.equal(ready.code, 0);
    assert.match(ready.stdout, /^Tiller v2.17.0; reads from (?:release records|Tiller \(.+\))\n$/);
  });

  test('exits 1 with the reason when Tiller is away, or the gateway itself', async t => {
    const gateway = await startGatewayProcess(t, ['--tiller-endpoint=127.0.0.1:1']);
    const { port } = gateway;
    const environment = { TILLER_GATEWAY_ADDR: `127.0.0.1:${port}` };
    assert.equal((await runMain(['--health-check', 'live'], environment)).code, 0);
    const unready = await runMain(['--health-check', 'ready'], environment);
    assert.equal(unready.code, 1);
    assert.match(unready.stdout, /127\.0\.0\.1:1: connection refused/);
    await gateway.seen(/^GET \/readyz 503$/);
    const line = gateway.lines.find(({ message }) => message === 'GET /readyz 503');
    assert.deepEqual([line?.level, `${line?.error}\n`], ['warn', unready.stdout]);
    const away = await runMain(['--health-check', 'live', '--addr=127.0.0.1:1']);
    assert.deepEqual([away.code, away.stdout], [1, '127.0.0.1:1 does not answer: ECONNREFUSED\n']);
  });
});
