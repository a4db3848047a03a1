/**
 * What hostile but legal requests cost everybody else: `node bench/attacks.ts [WORD]`. Each attack runs against a gateway
 * process of its own with a stub Tiller. Printed are the answers, the longest time that the gateway's event loop stood
 * still (its own metric, nodejs_eventloop_lag_max_seconds), the slowest answer to another client's GET /healthz, and the
 * process's greatest memory. The manifests give 768 MiB; nobody should wait longer than 250 ms.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeMessage } from '../src/codec/schema.ts';
import { type StubTiller, startStubTiller } from '../test/support/stub-tiller.ts';

const MiB = 1024 * 1024;
const install = '/tiller/v2/releases/a/json';
const content = '/tiller/v2/releases/a/content/json';
const list = '/tiller/v2/releases/json';

interface Target {
  readonly port: number;
  /** Sends a request and gives its status; 0 where the connection broke. */
  ask(path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<number>;
  open(): Socket;
}

/** @returns the statuses that were answered */
type Attack = (target: Target) => Promise<number[]>;

const inValues = (json: string) => `{"chart":{"metadata":{"name":"x"}},"values_json":${json}}`;
const filled = (item: string, bytes: number) =>
  Array(Math.ceil(bytes / (item.length + 1)))
    .fill(item)
    .join(',');
const post =
  (body: string | Buffer, headers: Record<string, string> = {}): Attack =>
  async ({ ask }) => [await ask(install, body, { 'content-type': 'application/json', ...headers })];
const form = (count: number, bytes: number) => {
  const part = `--x\r\nContent-Disposition: form-data; name="set"\r\n\r\n${'a'.repeat(bytes)}\r\n`;
  return post(`${part.repeat(count)}--x--\r\n`, { 'content-type': 'multipart/form-data; boundary=x' });
};
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

const attacks: Record<string, Attack> = {
  'values_json of 30 MB of []': post(inValues(`{"a":[${filled('[]', 30e6)}]}`)),
  'values_json of 30 MB of {}': post(inValues(`{"a":[${filled('{}', 30e6)}]}`)),
  'values_json of 30 MB of numbers': post(inValues(`{"a":[${filled('1', 30e6)}]}`)),
  'values_json with 99,000 members': post(
    inValues(`{${Array.from({ length: 99_000 }, (_, i) => `"n${i}":${i}`).join(',')}}`),
  ),
  'values_json of one text of 30 MB': post(inValues(`{"a":"${'x'.repeat(30e6)}"}`)),
  'values_json of escapes, 30 MB': post(inValues(`{"a":"${'\\n'.repeat(15e6)}"}`)),
  'values_json of lines, 15 MB': post(inValues(`{"a":"${'- x: y # z\\n'.repeat(1_200_000)}"}`)),
  'values_json 1 M deep': post(inValues(`{"a":${nested('[', ']', 1e6)}}`)),
  'unknown field 30 MB of []': post(`{"zzz":[${filled('[]', 30e6)}]}`),
  'unknown field of one text of 30 MB': post(`{"zzz":"${'x'.repeat(30e6)}"}`),
  '30 MB of white space': post(`{${' '.repeat(30e6)}}`),
  '30 MB of values.raw': post(
    `{"chart":{"metadata":{"name":"x"}},"values":{"raw":"${'a: b\\n'.repeat(5e6)}"}}`,
  ),
  '22 MB of base64 in a chart': post(
    `{"chart":{"metadata":{"name":"x"},"files":[{"type_url":"x","value":"${'A'.repeat(22e6)}"}]}}`,
  ),
  '22 MB of base64 in 16,000 templates': post(
    `{"chart":{"metadata":{"name":"x"},"templates":[${filled(`{"name":"x","data":"${'A'.repeat(1360)}"}`, 22e6)}]}}`,
  ),
  '22 MB of base64 as an archive': post(`{"chart_archive":"${'A'.repeat(22e6)}"}`),
  'set 30 MB of x': post(`{"chart":{"metadata":{"name":"x"}},"set":[${filled('"a=b"', 30e6)}]}`),
  'set of one line of 10 MB': post(`{"chart":{"metadata":{"name":"x"}},"set":["${'a=b,'.repeat(2.5e6)}"]}`),
  'set a[9999999]': post(`{"chart":{"metadata":{"name":"x"}},"set":["a[65000]=1"]}`),
  'set nested 1 MB': post(`{"chart":{"metadata":{"name":"x"}},"set":["${'a.'.repeat(5e5)}b=1"]}`),
  'list with a query of 30 KB': async ({ ask }) => [
    await ask(`${list}?${'status_codes=DEPLOYED&'.repeat(1300)}`),
  ],
  'multipart, 200 parts of 100 KB': form(200, 1e5),
  'multipart, 1 M empty parts': form(400_000, 0),
  'multipart, one part of 30 MB': form(1, 3e7),
  'gRPC list, a field 16 MB long': async target => [await grpcList(target.port)],
  'content of 20 MB, pretty': async ({ ask }) => [await ask(`${content}?pretty`)],
  'content of 20 MB': async ({ ask }) => [await ask(content)],
  'content of 20 MB, gzip': async ({ ask }) => [await ask(content, undefined, { 'accept-encoding': 'gzip' })],
  'content, values as JSON, 4.5 MB of {}': async ({ ask }) => [
    await ask(`${content.replace('/a/', '/braces/')}?format_values_as_json=true`),
  ],
  'content, values as JSON, 15 MB of a: b': async ({ ask }) => [
    await ask(`${content.replace('/a/', '/lines/')}?format_values_as_json=true`),
  ],
  'content, values as JSON, pretty, many': async ({ ask }) => [
    await ask(`${content.replace('/a/', '/lists/')}?format_values_as_json=true&pretty`),
  ],
  'list of 16 MB summaries, pretty': async ({ ask }) => [await ask(`${list}?pretty`)],
  'list of 6 clusters, 16 MB summaries each': async ({ ask }) => [await ask(`/clusters/-${list}`)],
  'list of 3 clusters, 16 MB summaries each': async ({ ask }) => [
    await ask(`/clusters/-${list}?cluster=c1&cluster=c2&cluster=c3`),
  ],
  '40 stalled uploads of 31 MB': stalledUploads,
  '200 pipelined contents on one connection': pipelined,
  '50 slow readers of 20 MB': slowReaders,
};

/** Bodies all of whose bytes but the last have come. */
async function stalledUploads({ open }: Target): Promise<number[]> {
  const size = 31e6;
  const part = Buffer.alloc(size - 1, 0x20);
  const sockets = Array.from({ length: 40 }, () => {
    const socket = open();
    socket.write(`POST ${install} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(part);
    return socket;
  });
  return finish(sockets, 8_000);
}

async function pipelined({ open }: Target): Promise<number[]> {
  const socket = open().pause();
  socket.write(`GET ${content} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(200));
  return finish([socket], 5_000);
}

async function slowReaders({ open }: Target): Promise<number[]> {
  const sockets = Array.from({ length: 50 }, () => {
    const socket = open().pause();
    socket.write(`GET ${content} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return socket;
  });
  return finish(sockets, 8_000);
}

/** Waits, then reads how each connection was answered. */
async function finish(sockets: readonly Socket[], waitMs: number): Promise<number[]> {
  await sleep(waitMs);
  for (const socket of sockets) socket.resume().pause();
  await sleep(1_000);
  const statuses = sockets.map(socket =>
    Number(/^HTTP\/1.1 (\d+)/.exec(String(socket.read(20) ?? ''))?.[1] ?? 0),
  );
  for (const socket of sockets) socket.destroy();
  return statuses;
}

async function grpcList(port: number): Promise<number> {
  const { connect: connectHttp2 } = await import('node:http2');
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/hapi.services.tiller.ReleaseService/ListReleases',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const message = Buffer.alloc(16e6);
  for (let index = 0; index < message.length; index += 2) message.set([0x30, 1], index);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
  stream.resume();
  let status = 0;
  stream.on('trailers', headers => {
    status = Number(headers['grpc-status']);
  });
  stream.on('response', headers => {
    status = Number(headers['grpc-status'] ?? status);
  });
  await once(stream, 'close');
  session.close();
  return status;
}

async function startStub(): Promise<StubTiller> {
  const release = (raw: string, manifest = '') =>
    encodeMessage('hapi.services.tiller.GetReleaseContentResponse', {
      release: { name: 'a', config: { raw }, manifest },
    });
  const byName: Record<string, Buffer> = {
    braces: release(`a: [${filled('{}', 4.5e6)}]`),
    lines: release(Array.from({ length: 1e6 }, (_, i) => `a${i}: b`).join('\n')),
    lists: release(`a: [${filled('[1]', 390_000)}]`),
  };
  const large = release('', 'kind: Service\nmetadata: {name: "x"}\n'.repeat(520_000));
  const summaries = encodeMessage('hapi.services.tiller.ListReleasesResponse', {
    count: 90_000,
    releases: Array.from({ length: 90_000 }, (_, i) => ({
      name: `release-${i}`,
      namespace: 'default',
      version: 1,
      chart: { metadata: { name: 'web', description: 'x'.repeat(100) } },
    })),
  });
  return startStubTiller({
    record: true,
    replies: {
      GetReleaseContent: call => {
        const name = /braces|lines|lists/.exec(call.request.toString('latin1'))?.[0];
        return { responses: [name ? byName[name]! : large] };
      },
      ListReleases: { responses: [summaries] },
      InstallRelease: { responses: [Buffer.alloc(0)] },
    },
  });
}

async function startGateway(stub: StubTiller): Promise<{ child: ChildProcess; port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'attacks-'));
  const clusters = join(folder, 'clusters.yaml');
  const entries = [1, 2, 3, 4, 5, 6].map(
    index => `{name: c${index}, upstream: direct, endpoint: "${stub.address}"}`,
  );
  writeFileSync(clusters, `clusters: [${entries.join(', ')}]\n`);
  const flags = [
    `--clusters=${clusters}`,
    '--addr=127.0.0.1:0',
    '--connector=direct',
    `--tiller-endpoint=${stub.address}`,
    '--log-format=json',
  ];
  const child = spawn(process.execPath, ['src/main.ts', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = Number(/"message":"listening on [^"]*:(\d+)"/.exec(line)?.[1]);
    if (port > 0) {
      child.stdout!.on('error', () => {}).resume();
      child.once('exit', () => rmSync(folder, { recursive: true }));
      return { child, port };
    }
  }
  throw new Error('the gateway did not start');
}

/** Asks again and again from a process of its own; `stop` gives the slowest answer in milliseconds. */
async function startPing(url: string): Promise<{ stop(): Promise<number> }> {
  const path = 'bench/support/ping-process.ts';
  const child = spawn(process.execPath, [path, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async stop() {
      child.stdin!.end();
      return Number((await lines.next()).value);
    },
  };
}

async function maxLagMs(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) * 1000;
}

async function runOne(name: string, attack: Attack, stub: StubTiller): Promise<void> {
  const { child, port } = await startGateway(stub);
  const url = `http://127.0.0.1:${port}`;
  await sleep(500);
  await (await fetch(`${url}/tiller/v2/version/json`)).text();
  await maxLagMs(port);
  const before = memory(child, 'VmRSS');
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5');
  const ping = await startPing(`${url}/healthz`);
  const target: Target = {
    port,
    open: () => connect(port, '127.0.0.1').on('error', () => {}),
    async ask(path, body, headers = {}) {
      const answer = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'accept-encoding': 'identity', ...headers },
        ...(body !== undefined && { body }),
      }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => {});
      return answer?.status ?? 0;
    },
  };
  const startedAt = performance.now();
  const statuses = await attack(target);
  const tookMs = performance.now() - startedAt;
  const lag = await maxLagMs(port);
  const slowestMs = await ping.stop();
  const counts = Object.entries(Object.groupBy(statuses, String)).map(
    ([status, all]) => `${status}×${all?.length}`,
  );
  const cells = [
    name.padEnd(42),
    counts.join(' ').padEnd(16),
    `${Math.round(tookMs)} ms`.padStart(9),
    `loop ${Math.round(lag)} ms`.padStart(13),
    `ping ${Math.round(slowestMs)} ms`.padStart(13),
    `memory ${before} → ${memory(child, 'VmHWM')} MiB`,
  ];
  console.log(cells.join('  '));
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** In MiB. */
function memory({ pid }: ChildProcess, name: string): number {
  const kib = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round((Number(kib) * 1024) / MiB);
}

/** @param word only attacks whose names hold it */
export async function run(word = ''): Promise<void> {
  const stub = await startStub();
  for (const [name, attack] of Object.entries(attacks))
    if (name.includes(word)) await runOne(name, attack, stub);
}

if (import.meta.main) {
  await run(process.argv[2]);
  process.exit(0);
}
