/**
 * A chart repository of 20,000 charts with 200,000 versions, in two kinds: how long others wait while its index is
 * read, how long a search takes, and what memory that costs.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts';
import { HttpConnection } from './support/http-client.ts';

const queries = [
  '',
  'a',
  'e',
  '-',
  'cache',
  'QUEUE',
  'for everybody',
  'ledger-relay-19',
  'x9',
  'nothing at all',
  'm',
];
const versions = ['', '^2', '>=1.3, <3.0'];
const rounds = 10;

export async function run(): Promise<void> {
  const child = fork(fileURLToPath(new URL('./support/index-process.ts', import.meta.url)));
  try {
    const [message] = await once(child, 'message');
    const { port, sizes, chart } = message as { port: number; sizes: number[]; chart: string };
    for (const [at, kind] of ['usual', 'odd'].entries()) {
      console.log(`${kind}: an index of ${mebibytes(sizes[at] ?? 0)} MiB`);
      const repository = ['--chart-repo', `big=http://127.0.0.1:${port}/${kind}`, '--chart-allow-loopback'];
      const bounds = ['--chart-index-max-bytes', '256MiB', '--chart-index-max-age', '24h', '--no-access-log'];
      const gateway = await startGatewayProcess(['--connector', 'sandbox', ...repository, ...bounds]);
      try {
        await measure(gateway, chart);
      } finally {
        await gateway.stop();
      }
    }
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

async function measure(gateway: GatewayProcess, chart: string): Promise<void> {
  const search = new HttpConnection(gateway.port);
  const before = gateway.memoryMiB();
  const cpu = await gateway.cpuMs();
  const started = performance.now();
  const waits = await whileOthersAsk(gateway, () => search.get('/tiller/v2/charts/json?limit=1'));
  print('first search, with the index', performance.now() - started);
  print('its processor time', (await gateway.cpuMs()) - cpu);
  print('others waited at the most', Math.max(...waits), 'at most 250 ms');
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const query of queries) {
      for (const version of versions) {
        for (const all of [false, true]) {
          const asked = new URLSearchParams({ query, version, all_versions: String(all) });
          const start = performance.now();
          await search.get(`/tiller/v2/charts/json?${asked}`);
          times.push(performance.now() - start);
        }
      }
    }
  }
  times.sort((a, b) => a - b);
  print(`search, median of ${times.length}`, times[times.length >> 1] ?? 0);
  print('search, 95th percentile', times[Math.floor(times.length * 0.95)] ?? 0, 'at most 20 ms');
  const lookups = await timed(search, `/tiller/v2/charts/big/${chart}/json`);
  print('versions of a chart', lookups);
  const memory = [before, gateway.peakMiB()].map(bytes => bytes.toFixed(0));
  // the thread that reads indexes ends when it had nothing to do for a minute
  await new Promise(resolve => setTimeout(resolve, 70_000));
  await search.get('/tiller/v2/charts/json?limit=1');
  console.log(
    `  memory: ${memory[0]} MiB before, ${memory[1]} at the most, ${gateway.memoryMiB().toFixed(0)} a minute later`,
  );
}

async function timed(connection: HttpConnection, path: string): Promise<number> {
  const start = performance.now();
  await connection.get(path);
  return performance.now() - start;
}

/** How long each of the requests of others took in the meantime. */
async function whileOthersAsk(gateway: GatewayProcess, work: () => Promise<unknown>): Promise<number[]> {
  const other = new HttpConnection(gateway.port);
  const waits: number[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      waits.push(await timed(other, '/healthz'));
      await new Promise(resolve => setTimeout(resolve, 2));
    }
  })();
  await work();
  isOver = true;
  await asking;
  return waits;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function print(what: string, timeMs: number, target?: string): void {
  console.log(`  ${what.padEnd(32)} ${timeMs.toFixed(1).padStart(9)} ms${target ? `  (${target})` : ''}`);
}
