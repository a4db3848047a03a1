/**
 * What the gateway costs beside Tiller itself: REST calls through the real program, and direct gRPC calls with grpc-js,
 * to the same stub Tiller, in turns, in one run. With `BASELINE=FOLDER`, another checkout, its gateway takes turns too.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { decodeMessage } from '../src/codec/schema.ts';
import { WireWriter } from '../src/codec/wire-writer.ts';
import { compare } from './support/compare.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { HttpConnection } from './support/http-client.ts';

const roundMs = 400;
const rounds = 15;
const tillerPath = '/hapi.services.tiller.ReleaseService/';
const same = (bytes: Buffer) => bytes;
const nothing = Buffer.alloc(0);

export async function run(): Promise<void> {
  const stub = fork(fileURLToPath(new URL('./support/stub-process.ts', import.meta.url)));
  const [{ address }] = (await once(stub, 'message')) as [{ address: string }];
  const gateway = await startGatewayProcess(flagsFor(address));
  const baseline = process.env.BASELINE;
  const before = baseline ? await startGatewayProcess(flagsFor(address), baseline) : undefined;
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  const connectionsTo = (port: number) => Array.from({ length: 16 }, () => new HttpConnection(port));
  const connections = connectionsTo(gateway.port);
  const connectionsBefore = before ? connectionsTo(before.port) : [];
  const compareWith = (title: string, workers: number, path: string, direct: () => Promise<unknown>) =>
    compare(
      title,
      [
        { name: 'REST', gateway, call: worker => connections[worker]!.get(path) },
        ...(before
          ? [
              {
                name: 'before',
                gateway: before,
                call: (worker: number) => connectionsBefore[worker]!.get(path),
              },
            ]
          : []),
        { name: 'gRPC without a gateway', call: direct },
      ],
      { workers, roundMs, rounds },
    );
  try {
    console.log(`ready ${gateway.readyMs.toFixed(0)} ms after the start of the process`);
    await compareWith('GetVersion', 16, '/tiller/v2/version/json', () => unary(client, 'GetVersion'));
    await compareWith('content of a release of 1 MiB', 4, '/tiller/v2/releases/large/content/json', () =>
      unary(client, 'GetReleaseContent'),
    );
    await compareWith('list of 200 releases of 100 KiB', 1, '/tiller/v2/releases/json', () =>
      decodedList(client),
    );
    await measureMemory(address);
  } finally {
    for (const connection of [...connections, ...connectionsBefore]) connection.close();
    client.close();
    await gateway.stop();
    await before?.stop();
    stub.disconnect();
    await once(stub, 'exit');
  }
}

/** Memory in a process that has done nothing else: what was measured before would count too. */
async function measureMemory(address: string): Promise<void> {
  const gateway = await startGatewayProcess(flagsFor(address));
  const connection = new HttpConnection(gateway.port);
  const idle = gateway.peakMiB();
  await connection.get('/tiller/v2/releases/json?filter=thousand');
  console.log(
    `list of 1,000 releases of 100 KiB: peak memory ${gateway.peakMiB().toFixed(0)} MiB (idle: ${idle.toFixed(0)})`,
  );
  connection.close();
  await gateway.stop();
}

function flagsFor(address: string): string[] {
  return ['--connector', 'direct', '--tiller-endpoint', address, '--no-access-log'];
}

function unary(client: grpc.Client, method: string): Promise<unknown> {
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(tillerPath + method, same, same, nothing, (error, reply) =>
      error ? reject(error) : resolve(reply),
    ),
  );
}

/** What a client that wants summaries has to do without the gateway: receive everything and decode it. */
function decodedList(client: grpc.Client): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const names: string[] = [];
    const call = client.makeServerStreamRequest(
      `${tillerPath}ListReleases`,
      same,
      same,
      new WireWriter().stringField(4, 'all').finish(),
    );
    call.on('data', (chunk: Buffer) => {
      for (const { name } of decodeMessage('hapi.services.tiller.ListReleasesResponse', chunk).releases)
        names.push(name);
    });
    call.on('error', reject).on('end', () => resolve(names));
  });
}
