/**
 * The cost of going through Kubernetes: one kept tunnel, compared with a direct connection to the same Tiller and
 * with a tunnel for each request, as swift has it. Tiller and the API server are the sandbox's, in a process of
 * their own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TillerClient } from '../src/backends/tiller/client.ts';
import { createDirectConnector, createKubeconfigConnector } from '../src/clusters/upstreams/connectors.ts';
import { encodeMessage } from '../src/codec/index.ts';
import type { Connector } from '../src/kubernetes/index.ts';
import { compare } from './support/compare.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { HttpConnection } from './support/http-client.ts';
import type { Whereabouts } from './support/sandbox-process.ts';

const concurrency = 16;
const inTurns = { workers: concurrency, roundMs: 400, rounds: 10 };
const baseline = process.env.BASELINE;

const context = { signal: new AbortController().signal, deadline: undefined };
const nothing = Buffer.alloc(0);

/** A release of 256 KiB, nearly all of it a file of its chart. */
const install = encodeMessage('hapi.services.tiller.InstallReleaseRequest', {
  name: 'bench',
  namespace: 'default',
  values: { raw: '' },
  chart: {
    metadata: { name: 'bench', version: '1.0.0' },
    templates: [
      {
        name: 'templates/map.yaml',
        data: Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bench\n'),
      },
    ],
    files: [{ type_url: 'file', value: Buffer.alloc(256 * 1024, 1) }],
  },
});
const content = encodeMessage('hapi.services.tiller.GetReleaseContentRequest', { name: 'bench' });

/** Prints requests a second for each variant, and their ratios to the first. */
export async function run(): Promise<void> {
  const sandbox = fork(fileURLToPath(new URL('./support/sandbox-process.ts', import.meta.url)));
  try {
    const [whereabouts] = (await once(sandbox, 'message')) as [Whereabouts];
    await compareGateways(whereabouts);
    await compareConnections(whereabouts);
  } finally {
    sandbox.disconnect();
    await once(sandbox, 'exit');
  }
}

/** REST calls through running gateways, one of each kind; with `BASELINE=FOLDER` those of an older checkout take turns. */
async function compareGateways({ endpoint, kubeconfig }: Whereabouts): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const file = join(folder, 'config');
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  const start = async (name: string, flags: readonly string[], checkout?: string) => {
    const gateway = await startGatewayProcess([...flags, '--no-access-log'], checkout);
    const connections = Array.from({ length: concurrency }, () => new HttpConnection(gateway.port));
    return { name, gateway, connections };
  };
  const both = async (name: string, flags: readonly string[]) => [
    await start(name, flags),
    ...(baseline ? [await start(`${name}, before`, flags, baseline)] : []),
  ];
  const gateways = [
    ...(await both('direct', ['--tiller-endpoint', endpoint])),
    ...(await both('one tunnel', ['--kubeconfig', file])),
  ];
  const installer = createClient(createDirectConnector(endpoint), 1);
  try {
    await installer.unary('InstallRelease', install, context);
    for (const path of ['version/json', 'releases/json', 'releases/bench/content/json']) {
      const variants = gateways.map(({ name, gateway, connections }) => ({
        name,
        gateway,
        call: (worker: number) => connections[worker]!.get(`/tiller/v2/${path}`),
      }));
      await compare(`GET /tiller/v2/${path} through the gateway`, variants, inTurns);
    }
  } finally {
    for (const { connections } of gateways) for (const connection of connections) connection.close();
    installer.destroy();
    await Promise.all(gateways.map(({ gateway }) => gateway.stop()));
    rmSync(folder, { recursive: true });
  }
}

/** gRPC calls over the bare connections. */
async function compareConnections({ endpoint, kubeconfig }: Whereabouts): Promise<void> {
  const tunnel = createKubeconfigConnector({ kubeconfig: { contents: kubeconfig } });
  const clients = {
    direct: createClient(createDirectConnector(endpoint), 1),
    'one tunnel': createClient(tunnel, 1),
    '--tunnels 2': createClient(tunnel, 2),
  };
  const kept = Object.entries(clients);
  await compare(
    'gRPC GetVersion over the bare connection',
    [
      ...kept.map(([name, client]) => ({ name, call: () => client.unary('GetVersion', nothing, context) })),
      { name: 'a tunnel per request, as swift', call: () => callOnce(tunnel) },
    ],
    inTurns,
  );
  await compare(
    'gRPC GetReleaseContent of 256 KiB over the bare connection',
    kept.map(([name, client]) => ({
      name,
      call: () => client.unary('GetReleaseContent', content, context),
    })),
    inTurns,
  );
  for (const [, client] of kept) client.destroy();
}

/** As swift does it: look up the Pod, open a port-forward, dial, call, and throw all of it away. */
async function callOnce(connector: Connector): Promise<void> {
  const client = createClient(connector, 1);
  await client.unary('GetVersion', nothing, context);
  client.destroy();
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
