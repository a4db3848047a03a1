/** `proto/` as users of gRPC take it: loaded by @grpc/proto-loader, called by the client that it makes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createGrpcFront } from '../src/grpc/index.ts';
import { createReleaseService } from '../src/releases/index.ts';
import { createTestRegistry, createTestTiller } from './support/gateway.ts';
import { startStubTiller } from './support/stub-tiller.ts';
import { createTestCharts } from './support/test-charts.ts';

interface GetVersionReply {
  Version: { sem_ver: string };
}

type Unary = (request: object, callback: (error: Error | null, reply: GetVersionReply) => void) => void;

test('the .proto files make a client that works, for swift and for Tiller itself', async () => {
  await using stub = await startStubTiller();
  const tiller = createTestTiller(stub.address);
  const front = createGrpcFront({
    service: createReleaseService(createTestCharts()),
    clusters: createTestRegistry(tiller),
    health: { serving: () => true, onChange: () => () => {} },
    maxMessageBytes: 1024 * 1024,
    requestTimeoutMs: 60_000,
    stopping: new AbortController().signal,
    events: {},
  });
  const server = createServer().on('stream', front).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const files = ['swift/v2/release.proto', 'swift/v2/chart.proto', 'hapi/services/tiller.proto'];
  const loaded = loadSync(files, { includeDirs: ['proto', 'node_modules/protobufjs'], keepCase: true });
  for (const name of ['appscode.swift.v2.ReleaseService', 'hapi.services.tiller.ReleaseService']) {
    const Client = grpc.makeGenericClientConstructor(loaded[name] as grpc.ServiceDefinition, name);
    const client = new Client(address, grpc.credentials.createInsecure());
    const getVersion = (client.GetVersion as Unary).bind(client);
    const reply = await new Promise<GetVersionReply>((resolve, reject) =>
      getVersion({}, (error, got) => (error ? reject(error) : resolve(got))),
    );
    assert.equal(reply.Version.sem_ver, 'v2.17.0');
    client.close();
  }
  tiller.destroy();
  server.close();
});
