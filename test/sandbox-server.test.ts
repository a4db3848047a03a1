/** The sandbox Tiller as a server: its socket, its bounds, its folder, its faults on demand. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect, constants } from 'node:http2';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeMessage } from '../src/codec/index.ts';
import { Code, GatewayError } from '../src/protocol/index.ts';
import { startSandboxTiller } from '../src/sandbox/index.ts';
import { encodeErrorText } from '../src/sandbox/tiller/call-front.ts';
import { SandboxClient } from './support/sandbox-client.ts';
import { SandboxFaults } from './support/sandbox-faults.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const bounded = { timeout: 30_000 };
const empty = Buffer.alloc(0);

function install(name: string) {
  const chart = chartOf('plain', { 'cm.yaml': configMap(`${name}-cm`) });
  return { name, namespace: 'default', chart, values: {} };
}

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tg-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a Unix socket that only this user can reach, gone after the end', bounded, async () => {
  const sandbox = await startSandboxTiller({ listen: 'unix' });
  assert.match(sandbox.address, /^unix:\//);
  const folder = dirname(sandbox.address.slice('unix:'.length));
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  await sandbox.stop();
  await assert.rejects(stat(folder), { code: 'ENOENT' });
});

test('every call but GetVersion needs a client version that fits', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const status = async (method: string, client: string) => {
    const answer = await tiller.raw(method, empty, { metadata: { 'x-helm-api-client': client } });
    return `${answer.status} ${answer.message}`;
  };
  assert.equal(await status('GetVersion', 'v9.9.9'), '0 ');
  assert.equal(await status('ListReleases', 'v2.14+unreleased'), '0 ');
  for (const method of ['ListReleases', 'GetHistory', 'RunReleaseTest']) {
    assert.equal(await status(method, 'v3.1.0'), '2 incompatible versions client[v3.1.0] server[v2.17.0]');
  }
});

test('health on the same port', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const check = (request: Buffer) => tiller.raw('/grpc.health.v1.Health/Check', request);
  assert.deepEqual((await check(empty)).responses.map(String), ['\b\x01']);
  assert.equal((await check(Buffer.from('\n\x06Tiller'))).status, 0);
  assert.equal((await check(Buffer.from('\n\x05other'))).status, 5);
});

test(
  'a connection that is pinged without a call is closed, as a real Tiller does',
  bounded,
  async context => {
    const sandbox = await startSandboxTiller();
    context.after(() => sandbox.stop());
    const session = connect(`http://${sandbox.address}`);
    session.on('error', () => {}); // Node reports the GOAWAY as an error too
    await once(session, 'connect');
    const goaway = once(session, 'goaway');
    const closed = new Promise(resolve => session.once('close', resolve));
    for (let count = 0; count < 4; count++) session.ping(() => {});
    const [code, , reason] = await goaway;
    assert.deepEqual([code, String(reason)], [constants.NGHTTP2_ENHANCE_YOUR_CALM, 'too_many_pings']);
    await closed;
  },
);

test('messages above 20 MiB are refused, bytes that are no request as well', bounded, async () => {
  await using tiller = await SandboxClient.start();
  assert.equal((await tiller.raw('GetHistory', Buffer.alloc(21 * 1024 * 1024))).status, 8);
  const answer = await tiller.raw('GetHistory', Buffer.from('ffff', 'hex'));
  assert.equal(`${answer.status} ${answer.message}`, '13 grpc: error unmarshalling request: unexpected EOF');
  assert.equal((await tiller.raw('GetVersion', empty)).status, 0);
});

test('the bound on what is kept', bounded, async () => {
  await using tiller = await SandboxClient.start({ bounds: { maxRevisions: 1 } });
  await tiller.call('InstallRelease', install('a'));
  assert.match(
    await tiller.failure('InstallRelease', install('b')),
    /^8 the sandbox keeps at most 1 revisions/,
  );
  await tiller.call('UninstallRelease', { name: 'a', purge: true });
  await tiller.call('InstallRelease', install('b'));
});

test(
  'releases outlive a restart in a folder; a broken file is reported, not fatal',
  bounded,
  async context => {
    const folder = await temporaryFolder(context);
    {
      await using tiller = await SandboxClient.start({ folder });
      await tiller.call('InstallRelease', install('a'));
      await tiller.call('UpdateRelease', { ...install('a') });
      await tiller.call('InstallRelease', install('gone'));
      await tiller.call('UninstallRelease', { name: 'gone', purge: true });
    }
    assert.deepEqual((await readdir(folder)).sort(), ['a.v1.json', 'a.v2.json']);
    await writeFile(join(folder, 'b.v1.json'), '{');
    const problems: string[] = [];
    await using tiller = await SandboxClient.start({ folder, report: problem => problems.push(problem) });
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /b.v1.json is left out/);
    const { releases } = await tiller.call('GetHistory', { name: 'a', max: 9 });
    assert.deepEqual(
      releases.map(({ version, info }) => `${version} ${info?.status?.code}`),
      ['2 DEPLOYED', '1 SUPERSEDED'],
    );
    const other = { ...install('other'), chart: install('a').chart };
    assert.match(await tiller.failure('InstallRelease', other), /configmaps "a-cm" already exists/);
  },
);

test('faults on demand: late, failing once, and cancelled while hanging', bounded, async () => {
  const faults = new SandboxFaults();
  await using tiller = await SandboxClient.start({ intercept: faults.intercept });
  faults.delay('GetVersion', 1, 1);
  faults.fail('GetVersion', new GatewayError(Code.UNAVAILABLE, 'on purpose'), 1);
  assert.equal((await tiller.raw('GetVersion', empty)).message, 'on purpose');
  assert.equal((await tiller.raw('GetVersion', empty)).status, 0);
  faults.hang('ListReleases');
  const abort = new AbortController();
  const hanging = tiller.raw('ListReleases', empty, { signal: abort.signal });
  const call = await faults.arrival('ListReleases');
  assert.equal(call.signal.aborted, false);
  abort.abort();
  assert.equal((await hanging).status, Code.CANCELLED);
  await new Promise<void>(resolve => {
    if (call.signal.aborted) resolve();
    call.signal.addEventListener('abort', () => resolve());
  });
  faults.clear();
  assert.deepEqual(
    faults.calls.map(({ method, client }) => `${method} ${client}`),
    ['GetVersion v2.17.0', 'GetVersion v2.17.0', 'ListReleases v2.17.0'],
  );
});

test('stopping does not wait for a call that hangs', bounded, async () => {
  const faults = new SandboxFaults();
  const tiller = await SandboxClient.start({ intercept: faults.intercept });
  faults.hang('GetHistory');
  const hanging = tiller.raw('GetHistory', empty);
  await faults.arrival('GetHistory');
  await tiller.sandbox.stop();
  assert.notEqual((await hanging).status, 0);
  tiller.client[Symbol.dispose]();
});

test('an error text that ends in a space is sent raw, as grpc-go sends it', bounded, async context => {
  const sandbox = await startSandboxTiller();
  context.after(() => sandbox.stop());
  const session = connect(`http://${sandbox.address}`, { strictFieldWhitespaceValidation: false } as object);
  context.after(() => session.close());
  const failing = { 'a.yaml': '{{ fail "100% é " }}' };
  const wire = encodeMessage('hapi.services.tiller.InstallReleaseRequest', {
    ...install('r'),
    chart: chartOf('t', failing),
  });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/hapi.services.tiller.ReleaseService/InstallRelease',
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-helm-api-client': 'v2.17.0',
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(wire.length, 1);
  stream.end(Buffer.concat([head, wire]));
  const [headers] = await once(stream, 'response');
  stream.resume();
  assert.match(headers['grpc-message'], /error calling fail: 100%25 %C3%A9 $/);
});

test('an error text that is too long for a header is cut, and the connection goes on', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const chart = chartOf('t', { 'a.yaml': `a: [\n# ${'é '.repeat(100_000)}` });
  const failing = { ...install('r'), chart, dry_run: true };
  const text = await tiller.failure('InstallRelease', failing);
  assert.match(
    text,
    /^2 YAML parse error on t\/templates\/a\.yaml: error converting YAML to JSON: yaml: line 2/,
  );
  assert.match(text, / \[the sandbox ends this text here: it has 3\d{5} bytes\]$/);
  assert.ok(encodeErrorText(text).length <= 60_000);
  const sessions = await Promise.all([
    tiller.raw('GetVersion', empty),
    tiller.failure('InstallRelease', failing),
  ]);
  assert.equal(sessions[0].status, 0);
});

test('a request that kills a real Tiller cuts every connection', bounded, async () => {
  const reports: string[] = [];
  await using tiller = await SandboxClient.start({ report: line => reports.push(line) });
  const other = openTiller(tiller.sandbox.address);
  await callTiller(other, 'GetVersion', empty);
  const noMetadata = Buffer.from('0a020805' + '220172' + '320164', 'hex'); // metadata as a varint is skipped
  assert.equal((await tiller.raw('InstallRelease', noMetadata)).status, 14);
  assert.equal((await callTiller(other, 'GetVersion', empty, { waitForReady: true })).status, 0);
  const negative = Buffer.from('08ffffffffffffffffff01888080801005', 'hex');
  const metadata = { 'x-helm-api-client': 'v2.17.0' };
  assert.equal((await callTiller(other, 'ListReleases', negative, { metadata })).status, 14);
  assert.equal(tiller.sandbox.crashes, 2);
  assert.deepEqual(
    reports,
    ['a chart without metadata', 'limit -1'].map(
      cause => `${cause}: a real Tiller crashes on this; all its connections are cut`,
    ),
  );
  assert.equal((await tiller.raw('GetVersion', empty, { waitForReady: true })).status, 0);
  other[Symbol.dispose]();
});

test('no other call waits for a chart that does not end', { timeout: 60_000 }, async () => {
  await using tiller = await SandboxClient.start({ threads: { maxTaskMs: 3_000 } });
  await tiller.call('InstallRelease', install('a'));
  const chart = chartOf('t', {
    'a.yaml': '{{ range until 5000 }}{{ $p := derivePassword 1 "long" "p" "u" "s" }}{{ end }}',
  });
  const endless = tiller.failure('InstallRelease', { ...install('b'), chart });
  let isEndless = true;
  const ended = endless.finally(() => {
    isEndless = false;
  });
  let answered = 0;
  while (isEndless) {
    await tiller.call('GetReleaseContent', { name: 'a' });
    if (isEndless) answered++;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  assert.ok(answered >= 5, `only ${answered} were answered meanwhile`); // some 60 on a machine at rest
  assert.equal(await ended, '2 rendering template failed: it took more than 3 s, so the sandbox ended it');
});
