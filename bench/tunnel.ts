/** What the way through Kubernetes costs: the tunnel that is kept, beside a direct connection and swift's way. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Connector } from '../src/clusters/connector.ts';
import { createDirectConnector } from '../src/clusters/direct.ts';
import { createKubeconfigConnector } from '../src/clusters/kubeconfig.ts';
import { TillerClient, type TillerMethod } from '../src/tiller/client.ts';
import type { Whereabouts } from './tiller-process.ts';

const concurrency = 16;
const roundMs = 1_000;
const rounds = 2;

const context = { signal: new AbortController().signal, deadline: undefined };
const nothing = Buffer.alloc(0);

interface Way {
  readonly name: string;
  call(method: TillerMethod): Promise<unknown>;
  close(): void;
}

/** Prints requests a second over each way, and their ratios to `direct`. Each way is measured in turn, several times. */
export async function run(): Promise<void> {
  const child = fork(fileURLToPath(new URL('./tiller-process.ts', import.meta.url)));
  try {
    const [{ endpoint, kubeconfig }] = (await once(child, 'message')) as [Whereabouts];
    const direct = createDirectConnector({ endpoint });
    const tunnel = createKubeconfigConnector({ kubeconfig: { contents: kubeconfig } });
    await compare('GetVersion', [
      kept('direct', direct, 1),
      kept('one tunnel', tunnel, 1),
      kept('--tunnels 2', tunnel, 2),
      perCall('a tunnel per request, as swift', tunnel),
    ]);
    await compare('GetReleaseContent', [
      kept('direct', direct, 1),
      kept('one tunnel', tunnel, 1),
      kept('--tunnels 2', tunnel, 2),
    ]);
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

async function compare(method: TillerMethod, ways: readonly Way[]): Promise<void> {
  const best = new Map<string, number>();
  for (const way of ways) await way.call(method); // connects, and warms up
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) best.set(way.name, Math.max(best.get(way.name) ?? 0, await measure(way, method)));
  }
  for (const way of ways) way.close();
  const base = best.get('direct') ?? Number.NaN;
  console.log(`${method}, ${concurrency} at a time`);
  for (const [name, rate] of best) {
    console.log(
      `  ${name.padEnd(32)} ${rate.toFixed(0).padStart(7)}/s  ${(rate / base).toFixed(2)} of direct`,
    );
  }
}

/** Calls a second of one round. */
async function measure(way: Way, method: TillerMethod): Promise<number> {
  const started = performance.now();
  let calls = 0;
  const worker = async () => {
    while (performance.now() - started < roundMs) {
      await way.call(method);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (calls * 1000) / (performance.now() - started);
}

function kept(name: string, connector: Connector, connections: number): Way {
  const client = createClient(connector, connections);
  return { name, call: method => client.unary(method, nothing, context), close: () => client.destroy() };
}

/** swift's way: look up the Pod, open a port-forward, dial, call, and throw all of it away. */
function perCall(name: string, connector: Connector): Way {
  return {
    name,
    async call(method) {
      const client = createClient(connector, 1);
      await client.unary(method, nothing, context);
      client.destroy();
    },
    close() {},
  };
}

function createClient(connector: Connector, connections: number): TillerClient {
  return new TillerClient({
    connector,
    connections,
    tls: undefined,
    keepaliveMs: 30_000,
    keepaliveTimeoutMs: 10_000,
    maxMessageBytes: 24 * 1024 * 1024,
    connectTimeoutMs: 10_000,
    waitMs: 10_000,
    timeoutMs: 60_000,
    rawErrors: false,
  });
}

if (import.meta.main) await run();
