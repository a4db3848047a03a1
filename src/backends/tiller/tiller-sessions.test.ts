import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { createTestTiller } from '../../../test/support/gateway.ts';
import { tillerVersion } from '../../../test/support/stub-tiller.ts';
import { toFrame } from '../../protocol/index.ts';

const free = { signal: new AbortController().signal, deadline: undefined };
const same = (bytes: Buffer) => bytes;
const path = '/hapi.services.tiller.ReleaseService/GetReleaseStatus';
/** As grpc-go 1.18 sends it: raw, the space at its end too. */
const text = "render error in x: range can't iterate over ";

/** Answers every call but GetVersion with the text, as Tiller does. */
async function startTiller() {
  const server = createServer({ strictFieldWhitespaceValidation: false });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    const answer = { ':status': 200, 'content-type': 'application/grpc' };
    if (headers[':path']?.endsWith('/GetVersion')) {
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(toFrame(tillerVersion));
    } else stream.respond({ ...answer, 'grpc-status': '2', 'grpc-message': text }, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("Tiller's text that ends in a space arrives whole, by our channels alone", async () => {
  const { server, address } = await startTiller();
  const tiller = createTestTiller(address, { rawErrors: true });
  await assert.rejects(tiller.unary('GetReleaseStatus', Buffer.alloc(0), free), { code: 2, message: text });
  tiller.destroy();
  const plain = new grpc.Client(address, grpc.credentials.createInsecure());
  const error = await new Promise<grpc.ServiceError | null>(resolve =>
    plain.makeUnaryRequest(path, same, same, Buffer.alloc(0), resolve),
  );
  plain.close();
  server.close();
  assert.equal(
    error?.details,
    '',
    'grpc-js keeps such a text without help now: tiller-sessions.ts need not set strictFieldWhitespaceValidation',
  );
});
