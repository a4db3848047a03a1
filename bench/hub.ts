/**
 * What a hub over a hundred clusters costs: the list over all beside the list of the slowest one alone, memory for each
 * open tunnel, and what a dead cluster among them costs the others. The clusters are in a process of their own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterPlace } from './support/clusters-process.ts';
import { type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts';

const rounds = 7;
/** An older checkout with its node_modules, whose hub takes turns. */
const baseline = process.env.BASELINE;
const list = '/tiller/v2/releases/json';

export async function run(): Promise<void> {
  const child = fork(fileURLToPath(new URL('./support/clusters-process.ts', import.meta.url)));
  const folder = mkdtempSync(join(tmpdir(), 'bench-hub-'));
  try {
    const [places] = (await once(child, 'message')) as [ClusterPlace[]];
    const entries = places.map(({ kubeconfig }, index) => {
      writeFileSync(join(folder, `c${index}.kubeconfig`), kubeconfig, { mode: 0o600 });
      // no upstream is named: there is no gateway, so it becomes a tunnel, and an older checkout may have other words
      return `- {name: c${index}, kubeconfig: c${index}.kubeconfig}`;
    });
    const slowest = `c${places.length - 1}`;
    const file = writeClusters(folder, 'alive', entries);
    const dead = '- {name: dead, upstream: direct, endpoint: "127.0.0.1:9"}';
    const fileWithDead = writeClusters(folder, 'dead', [...entries, dead]);
    await withHub(file, slowest, async hub => {
      if (baseline) await withHub(file, slowest, before => measureTimes(hub, slowest, before), baseline);
      else await measureTimes(hub, slowest);
      await measureMemory(hub, file, slowest);
      await withHub(fileWithDead, slowest, other => measureDead(hub, other));
    });
  } finally {
    rmSync(folder, { recursive: true });
    child.disconnect();
    await once(child, 'exit');
  }
}

function writeClusters(folder: string, name: string, entries: readonly string[]): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, `clusters:\n${entries.join('\n')}\n`);
  return file;
}

async function withHub(
  file: string,
  defaultCluster: string,
  work: (hub: GatewayProcess) => Promise<void>,
  checkout?: string,
): Promise<void> {
  const hub = await startGatewayProcess(['--clusters', file, '--default-cluster', defaultCluster], checkout);
  try {
    await work(hub);
  } finally {
    await hub.stop();
  }
}

async function measureTimes(hub: GatewayProcess, slowest: string, before?: GatewayProcess): Promise<void> {
  const first = await timed(hub, `/clusters/-${list}`);
  console.log(`list over 100 clusters of 20 releases, tunnels opened by it: ${first.toFixed(0)} ms`);
  if (before) await timed(before, `/clusters/-${list}`);
  await compareTimes(hub, slowest, '', 'Tillers that take 50 to 500 ms to list', before);
  await compareTimes(hub, slowest, '?filter=at-once', 'Tillers that answer at once', before);
}

/** Lists of all clusters and of the slowest one, in turns: the median time, and the least processor time of one. */
async function compareTimes(
  hub: GatewayProcess,
  slowest: string,
  query: string,
  what: string,
  before?: GatewayProcess,
): Promise<void> {
  const runs = [
    { name: 'all', hub, cluster: '-' },
    { name: 'the slowest alone', hub, cluster: slowest },
    ...(before ? [{ name: 'all, before', hub: before, cluster: '-' }] : []),
  ].map(run => ({ ...run, times: [] as number[], cpuMs: Number.POSITIVE_INFINITY }));
  for (let round = 0; round < rounds; round++) {
    for (const run of runs) {
      const cpuBefore = await run.hub.cpuMs();
      run.times.push(await timed(run.hub, `/clusters/${run.cluster}${list}${query}`));
      run.cpuMs = Math.min(run.cpuMs, (await run.hub.cpuMs()) - cpuBefore);
    }
  }
  console.log(what);
  const all = middle(runs[0]!.times);
  for (const { name, times, cpuMs } of runs) {
    const timeMs = middle(times);
    console.log(
      `  ${name.padEnd(20)} ${timeMs.toFixed(1).padStart(8)} ms (all × ${(all / timeMs).toFixed(2)}), ${cpuMs.toFixed(1)} ms CPU`,
    );
  }
}

/** Two processes that did the same but for the tunnels: each lists one cluster, one of them all. */
async function measureMemory(hub: GatewayProcess, file: string, one: string): Promise<void> {
  await withHub(file, one, async fresh => {
    for (let round = 0; round < rounds; round++) await timed(fresh, `/clusters/${one}${list}`);
    const before = fresh.memoryMiB();
    await timed(fresh, '/clusters?check');
    const open = fresh.memoryMiB();
    const perTunnel = ((open - before) / 99).toFixed(2);
    console.log(
      `memory with 1 tunnel ${before.toFixed(0)} MiB, with 100 ${open.toFixed(0)} MiB: ${perTunnel} MiB each`,
    );
  });
  const after = hub.memoryMiB();
  console.log(`memory with 100 tunnels after all of these lists: ${after.toFixed(0)} MiB`);
}

async function measureDead(without: GatewayProcess, withDead: GatewayProcess): Promise<void> {
  const first = await timed(withDead, `/clusters/-${list}`);
  console.log(`with a dead one among them, noticed by the first list: ${first.toFixed(0)} ms`);
  const times = { dead: [] as number[], alive: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.dead.push(await timed(withDead, `/clusters/-${list}`));
    times.alive.push(await timed(without, `/clusters/-${list}`));
  }
  const [dead, alive] = [middle(times.dead), middle(times.alive)];
  console.log(
    `later: ${dead.toFixed(0)} ms with it, ${alive.toFixed(0)} ms without, ${(dead / alive).toFixed(2)} ×`,
  );
}

async function timed(hub: GatewayProcess, path: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`http://127.0.0.1:${hub.port}${path}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
  return performance.now() - started;
}

function middle(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}
