/**
 * The whole program as a process, between hostile clients and hostile peers. It must not exit, hang, or keep anything.
 * `FUZZ_INPUTS` sets how many inputs are sent (`npm run fuzz` sends 100,000), `FUZZ_SEED` repeats a run.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createAuthority, sharedCertificate } from './support/certificates.ts';
import { Dice } from './support/dice.ts';
import { sendAll } from './support/fuzz-client.ts';
import { RequestFuzzer } from './support/fuzz-requests.ts';
import { type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts';
import { createFolder, startCluster } from './support/hub-stage.ts';
import { startOddApiServer } from './support/odd-api-server.ts';
import { type OddPeer, startOddTiller } from './support/odd-tiller.ts';
import { startStubTiller } from './support/stub-tiller.ts';

const total = Number(process.env.FUZZ_INPUTS ?? 2_000);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
/** Of the inputs: what is compiled and cached then is no growth. */
const warmUp = Math.min(Math.round(total / 4), 50_000);
const maxHeapGrowthBytes = 48 * 1024 * 1024;
/** The allocator keeps what a burst took: it may rise to its level late, but not further and further. */
const maxRssGrowthBytes = 160 * 1024 * 1024;
/** No probe of a healthy route may take longer, whatever others send. On a busy machine this process is late as well. */
const maxProbeMs = 15_000;
const timeout = Math.max(180_000, total * 10);

const oddTillers = 6;

/** A hub whose own Tiller and one cluster are good, and whose other clusters are hostile in every kind of upstream. */
async function startStage(t: TestContext, dice: Dice) {
  const stub = await startStubTiller({ record: false, replies: { '*': { delayMs: 2 } } });
  t.after(() => stub.stop());
  const folder = createFolder(t);
  const tillers = await Promise.all(Array.from({ length: oddTillers }, () => startOddTiller(dice)));
  const [behindTunnel, api] = [await startOddTiller(dice), await startOddApiServer(dice)];
  const peers: OddPeer[] = [...tillers, behindTunnel, api];
  t.after(async () => void (await Promise.all(peers.map(peer => peer.stop()))));
  const kubernetes = await startCluster(t, behindTunnel.port, { certificate: await sharedCertificate() });
  const [tunnelled, hostile] = [
    folder.write('tunnel.kubeconfig', kubernetes.kubeconfig()),
    folder.write('hostile.kubeconfig', kubeconfigOf(api.port)),
  ];
  const direct = (name: string, port: number) =>
    `- {name: ${name}, upstream: direct, endpoint: "127.0.0.1:${port}"}`;
  const clusters = folder.write(
    'clusters.yaml',
    [
      'clusters:',
      direct('good', stub.port),
      ...tillers.map(({ port }, index) => direct(`odd${index}`, port)),
      `- {name: tunnel, upstream: tunnel, kubeconfig: ${tunnelled}}`,
      `- {name: api, upstream: tunnel, kubeconfig: ${hostile}}`,
      `- {name: member, upstream: gateway, service: "kube-system/swift:http", kubeconfig: ${hostile}}`,
      '',
    ].join('\n'),
  );
  const certificate = createAuthority('fuzz').issue('localhost');
  writeFileSync(join(folder.folder, 'tls.crt'), certificate.cert);
  writeFileSync(join(folder.folder, 'tls.key'), certificate.key, { mode: 0o600 });
  const gateway = await startGatewayProcess(
    t,
    [
      '--connector=direct',
      `--tiller-endpoint=${stub.address}`,
      `--clusters=${clusters}`,
      `--tls-cert-file=${join(folder.folder, 'tls.crt')}`,
      `--tls-private-key-file=${join(folder.folder, 'tls.key')}`,
      '--no-access-log',
      '--header-timeout=2s',
      '--request-timeout=3s',
      '--drain-timeout=1s',
      '--idle-timeout=5s', // a session whose client has gone unseen ends with the second ping
      '--tiller-timeout=10s',
    ],
    {
      nodeFlags: ['--expose-gc', `--import=${new URL('./support/collect-on-signal.ts', import.meta.url)}`],
      keep: news,
    },
  );
  const names = [
    'good',
    'nobody',
    'good',
    'nobody',
    ...tillers.map((_, index) => `odd${index}`),
    'tunnel',
    'api',
    'member',
  ];
  return { gateway, peers, names };
}

/** Lines that say that something went wrong in the program itself, and the one with the address. */
const news = /"level":"error"|"listening on/;

function kubeconfigOf(port: number): string {
  return `apiVersion: v1
kind: Config
current-context: odd
clusters: [{name: odd, cluster: {server: "http://127.0.0.1:${port}"}}]
users: [{name: odd, user: {token: secret}}]
contexts: [{name: odd, context: {cluster: odd, user: odd}}]
`;
}

/** Asks for what must always work, until it is stopped. @returns the longest time that an answer took */
function probe(port: number) {
  let stopped = false;
  let longestMs = 0;
  let latestMs = 0;
  const work = async () => {
    while (!stopped) {
      for (const path of ['/healthz', '/tiller/v2/version/json', '/clusters/good/tiller/v2/version/json']) {
        const startedAt = performance.now();
        const answer = await get(port, path);
        assert.equal(answer.status, 200, `${path}: ${await answer.text()}`);
        await answer.arrayBuffer().catch(() => {});
        latestMs = performance.now() - startedAt;
        longestMs = Math.max(longestMs, latestMs);
      }
      await pause(100);
    }
    return longestMs;
  };
  const working = work();
  working.catch(() => {});
  return {
    latencyMs: () => latestMs,
    stop() {
      stopped = true;
      return working;
    },
  };
}

function get(port: number, path: string): Promise<Response> {
  const signal = AbortSignal.timeout(maxProbeMs * 2);
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' }, signal });
}

/** Keeps the hostile peers busy: every method, over every upstream. */
function askClusters(port: number, names: readonly string[], dice: Dice) {
  let stopped = false;
  const paths = [
    'version/json',
    'releases/json',
    'releases/a/content/json',
    'releases/a/status/json',
    'releases/a/test/json',
  ];
  const work = async (name: string) => {
    while (!stopped) {
      const path = `/clusters/${name}/tiller/v2/${dice.pick(paths)}`;
      const signal = AbortSignal.timeout(2_000);
      const headers = { 'grpc-timeout': '1S', connection: 'close' };
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal }).catch(
        () => undefined,
      );
      await answer?.arrayBuffer().catch(() => {});
      await pause(answer?.status === 503 ? 50 : 5); // a cluster whose circuit breaker is open answers at once
    }
  };
  const working = Promise.all(names.flatMap(name => [work(name), work(name)]));
  return {
    async stop() {
      stopped = true;
      await working;
    },
  };
}

/** Waits until nothing is open, has the memory collected, and reads what is left. */
async function measure({ port, signal }: GatewayProcess) {
  await pause(300);
  const end = performance.now() + 45_000;
  const read = async () => {
    const text = await (await get(port, '/metrics')).text();
    const value = (name: string) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
    const gauges = text.match(/^tiller_gateway_(?:connections|requests_in_flight)\{.*/gm) ?? [];
    return {
      gauges: gauges.map(line => line.replace('tiller_gateway_', '')),
      open: value('tiller_gateway_connections') + value('tiller_gateway_requests_in_flight'),
      handles: value('process_open_fds'),
      heapBytes: value('nodejs_heap_size_used_bytes') + value('nodejs_external_memory_bytes'),
      rssBytes: value('process_resident_memory_bytes'),
    };
  };
  for (let last = await read(); last.open > 3; last = await read()) {
    assert.ok(performance.now() < end, `still open after 45 s: ${JSON.stringify(last)}`);
    await pause(100);
  }
  signal('SIGUSR2'); // collects
  await pause(500);
  return read();
}

const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;

test(`${total} random and mutated inputs, with hostile peers on the other side`, { timeout }, async t => {
  t.diagnostic(`seed ${seed}`);
  const dice = new Dice(seed);
  const { gateway, peers, names } = await startStage(t, dice);
  const { port } = gateway;
  let exited: number | string | undefined;
  void gateway.exit.then(code => {
    exited = code;
  });
  const fuzzer = new RequestFuzzer(dice, names);
  const probing = probe(port);
  const { latencyMs } = probing;
  const send = (inputs: number) =>
    sendAll({ port, inputs, dice, latencyMs, next: () => fuzzer.next(), stop: () => exited !== undefined });
  const startedAt = performance.now();
  const sendWhileAsking = async (inputs: number) => {
    const asking = askClusters(port, names.slice(4), dice);
    const sent = await send(inputs);
    await asking.stop();
    return sent;
  };
  await sendWhileAsking(warmUp);
  const before = await measure(gateway);
  const sent = await sendWhileAsking(total - warmUp);
  const slowest = exited === undefined ? await probing.stop() : 0;
  const seconds = (performance.now() - startedAt) / 1000;
  const errors = gateway.lines.filter(({ level }) => level === 'error');
  assert.equal(
    exited,
    undefined,
    `the process ended: ${JSON.stringify(errors.slice(-3))} ${gateway.lastWords()}`,
  );
  const after = await measure(gateway);
  const odd = peers.reduce((sum, { answered }) => sum + answered, 0);
  t.diagnostic(
    `${total} inputs in ${seconds.toFixed(1)} s; ${sent.answers} of ${sent.requests} requests answered, ${sent.conversations} connections, ` +
      `${sent.refused} refused; ${odd} odd answers; slowest probe ${Math.round(slowest)} ms`,
  );
  t.diagnostic(
    `RSS ${mib(before.rssBytes)} -> ${mib(after.rssBytes)}, heap ${mib(before.heapBytes)} -> ${mib(after.heapBytes)}, ` +
      `file descriptors ${before.handles} -> ${after.handles}`,
  );
  assert.deepEqual(errors.slice(0, 3), [], `${errors.length} faults of the program`);
  assert.ok(
    sent.answers > sent.requests / 4,
    `only ${sent.answers} of ${sent.requests} requests were answered`,
  );
  assert.ok(odd > total / 50, `the hostile peers were asked only ${odd} times`);
  assert.ok(slowest < maxProbeMs, `a probe took ${slowest} ms`);
  assert.ok(
    after.handles <= before.handles + 30,
    `${before.handles} file descriptors became ${after.handles}`,
  );
  assert.ok(after.heapBytes - before.heapBytes < maxHeapGrowthBytes, 'the heap grew');
  assert.ok(after.rssBytes - before.rssBytes < maxRssGrowthBytes, 'the process grew');
  gateway.signal('SIGTERM');
  assert.equal(await gateway.exit, 0);
});
