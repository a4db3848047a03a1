/**
 * Reads from release records beside reads through Tiller: through the sandbox's with the real one's limit of 5 requests
 * a second, and through one in memory without limit. Then 10,000 revisions of 100 KiB: time to the first list, memory.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare } from './support/compare.ts';
import { type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts';
import { HttpConnection } from './support/http-client.ts';
import type { RecordPlaces } from './support/records-process.ts';
import { measureWatchers } from './support/watchers.ts';

const releases = 20;
const workers = 16;

/** Prints calls a second and their ratios; then the figures of many records. */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const flags = (kubeconfig: string) => {
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, kubeconfig, { mode: 0o600 });
    return ['--kubeconfig', path];
  };
  try {
    await beside('records-process', async ({ kubeconfig, memoryTiller }: RecordPlaces) => {
      await compareReads(flags(kubeconfig), memoryTiller);
      await measureStreams(flags(kubeconfig));
    });
    await beside('many-records-process', (kubeconfig: string) =>
      measureMany([...flags(kubeconfig), '--reads', 'records']),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Works beside a process of `support`, with what that says at its start. */
async function beside<Said>(name: string, work: (said: Said) => Promise<void>): Promise<void> {
  const child = fork(fileURLToPath(new URL(`./support/${name}.ts`, import.meta.url)));
  try {
    const [said] = (await once(child, 'message')) as [Said];
    await work(said);
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

async function compareReads(kubeconfig: readonly string[], memoryTiller: string): Promise<void> {
  const quiet = ['--no-access-log'];
  const records = await startGatewayProcess([...kubeconfig, '--reads', 'records', ...quiet]);
  const limited = await startGatewayProcess([...kubeconfig, '--reads', 'tiller', ...quiet]);
  const memory = await startGatewayProcess(['--tiller-endpoint', memoryTiller, ...quiet]);
  const gateways = [
    { name: 'records', gateway: records },
    { name: 'Tiller, 5 a second', gateway: limited },
    { name: 'Tiller in memory', gateway: memory },
  ];
  try {
    // the limit's burst fills again while others have their turn: a round is long enough that it counts little
    await Promise.all([install(memory), install(limited)]);
    await untilHeld(records, releases);
    // equal lists that run at the same time share one answer of Tiller: each worker asks for another one
    const paths = {
      list: (worker: number) => `releases/json?filter=bench|none${worker}`,
      content: (worker: number) => `releases/bench-${worker}/content/json`,
      history: (worker: number) => `releases/bench-${worker}/json`,
    };
    for (const [name, path] of Object.entries(paths)) {
      const variants = gateways.map(({ name, gateway }) => {
        const connections = Array.from({ length: workers }, () => new HttpConnection(gateway.port));
        const call = (worker: number) => connections[worker]!.get(`/tiller/v2/${path(worker)}`);
        return { name, gateway, call };
      });
      const title = name === 'list' ? `list of ${releases}` : name;
      await compare(title, variants, { workers, roundMs: 3_000, rounds: 3 });
    }
  } finally {
    await Promise.all(gateways.map(({ gateway }) => gateway.stop()));
  }
}

/** Twenty releases of about 4 KB each, as an answer of 82 KB has them. */
async function install({ port }: GatewayProcess): Promise<void> {
  for (let index = 0; index < releases; index++) {
    const response = await fetch(`http://127.0.0.1:${port}/tiller/v2/releases/bench-${index}/json`, {
      method: 'POST',
      body: JSON.stringify({
        chart: {
          metadata: { name: 'web', version: '1.4.2', description: 'A web server' },
          templates: [
            {
              name: 'templates/map.yaml',
              data: Buffer.from(
                `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bench-${index}\n`,
              ).toString('base64'),
            },
          ],
          files: [{ type_url: 'README.md', value: Buffer.alloc(3_000, 'readme ').toString('base64') }],
        },
        values: { raw: 'replicas: 3\n' },
      }),
    });
    if (!response.ok) throw new Error(`install: ${await response.text()}`);
  }
}

/** Asks until so many revisions are listed. */
async function untilHeld({ port }: GatewayProcess, count: number, query = ''): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/tiller/v2/releases/json?limit=20${query}`);
    const { total } = (await response.json()) as { total?: string }; // an error's, while they are being listed, has none
    if (Number(total ?? 0) >= count) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** What 1,000 clients of the stream of changes cost. */
async function measureStreams(kubeconfig: readonly string[]): Promise<void> {
  const gateway = await startGatewayProcess([...kubeconfig, '--no-access-log']);
  try {
    await untilHeld(gateway, releases);
    const path = `http://127.0.0.1:${gateway.port}/tiller/v2/releases/bench-0/rollback/json`;
    await measureWatchers(gateway, async () => {
      const response = await fetch(path, { method: 'POST', body: '{"version": 1}' });
      if (!response.ok) throw new Error(await response.text());
    });
  } finally {
    await gateway.stop();
  }
}

async function measureMany(flags: readonly string[]): Promise<void> {
  const started = performance.now();
  const gateway = await startGatewayProcess([...flags, '--no-access-log'], undefined, { waits: false });
  try {
    await untilHeld(gateway, 1_000);
    const [firstMs, firstCpuMs] = [performance.now() - started, await gateway.cpuMs()];
    await untilHeld(gateway, 10_000, '&all=true');
    const [allMs, allCpuMs] = [performance.now() - started, await gateway.cpuMs()];
    const connection = new HttpConnection(gateway.port);
    const times: number[] = [];
    for (let count = 0; count < 200; count++) {
      const before = performance.now();
      await connection.get(
        '/tiller/v2/releases/json?limit=20&all=true&sort_by=LAST_RELEASED&sort_order=DESC',
      );
      times.push(performance.now() - before);
    }
    times.sort((a, b) => a - b);
    console.log('10,000 revisions of 1,000 releases, 100 KiB each');
    console.log(
      `  first list               ${(firstMs / 1000).toFixed(2)} s after the start, ${(firstCpuMs / 1000).toFixed(1)} s CPU`,
    );
    console.log(
      `  with all superseded ones ${(allMs / 1000).toFixed(2)} s after the start, ${(allCpuMs / 1000).toFixed(1)} s CPU`,
    );
    console.log(
      `  memory                   ${gateway.peakMiB().toFixed(0)} MiB at the most, ${gateway.memoryMiB().toFixed(0)} MiB then`,
    );
    console.log(
      `  a page of all, sorted    ${times[100]!.toFixed(2)} ms in the median, ${times[197]!.toFixed(2)} ms at p99`,
    );
  } finally {
    await gateway.stop();
  }
}
