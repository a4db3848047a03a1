import assert from 'node:assert/strict';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { Code } from './code.ts';
import { GatewayError } from './gateway-error.ts';
import { readBounded } from './read-bounded.ts';

/** A stream that has given some bytes and gives nothing more. */
function stalled(...chunks: string[]): PassThrough {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  return stream;
}

describe('readBounded', () => {
  test('gives everything up to the bound, and the empty body', async () => {
    assert.equal(
      String(await readBounded(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), { maxBytes: 4 })),
      'abcd',
    );
    assert.equal((await readBounded(Readable.from([]), { maxBytes: 0 })).length, 0);
  });

  test('refuses one byte more, and destroys the stream', async () => {
    const stream = stalled('ab', 'cde');
    await assert.rejects(readBounded(stream, { maxBytes: 4, what: 'the answer' }), {
      code: Code.RESOURCE_EXHAUSTED,
      reason: 'BODY_TOO_LARGE',
      message: 'the answer is over the limit of 4 bytes',
    });
    assert.equal(stream.destroyed, true);
  });

  test('cuts at the bound where that is asked for', async () => {
    const stream = stalled('ab', 'cde');
    assert.equal(String(await readBounded(stream, { maxBytes: 4, beyond: 'cut' })), 'abcd');
    assert.equal(stream.destroyed, true);
  });

  test('leaves the stream to its owner where that is asked for', async () => {
    const stream = stalled('abc');
    await assert.rejects(readBounded(stream, { maxBytes: 2, keepOpen: true }));
    assert.equal(stream.destroyed, false);
    assert.equal(stream.listenerCount('data'), 0);
  });

  test('refuses by content-length before a byte is read', async () => {
    const stream = Object.assign(stalled(), { headers: { 'content-length': '5' } });
    await assert.rejects(readBounded(stream, { maxBytes: 4 }), { reason: 'BODY_TOO_LARGE' });
  });

  test('ends with the time, the signal, the stream’s error and its early end', async () => {
    await assert.rejects(readBounded(stalled('a'), { maxBytes: 4, signal: AbortSignal.timeout(5) }), {
      code: Code.DEADLINE_EXCEEDED,
      message: 'no answer in time',
    });
    const gone = new GatewayError(Code.CANCELLED, 'the client has gone');
    const stream = stalled('a');
    await assert.rejects(readBounded(stream, { maxBytes: 4, signal: AbortSignal.abort(gone) }), gone);
    assert.equal(stream.destroyed, true);
    const kept = stalled('a');
    await assert.rejects(readBounded(kept, { maxBytes: 4, signal: AbortSignal.timeout(1), keepOpen: true }));
    assert.deepEqual(
      [kept.destroyed, kept.listenerCount('data'), kept.listenerCount('close')],
      [false, 0, 0],
    );
    const broken = stalled('a');
    setImmediate(() => broken.destroy(new Error('broken')));
    await assert.rejects(readBounded(broken, { maxBytes: 4 }), { message: 'broken' });
    const closed = stalled('a');
    setImmediate(() => closed.destroy());
    await assert.rejects(readBounded(closed, { maxBytes: 4 }), { message: 'the body was cut off' });
    await assert.rejects(readBounded(closed, { maxBytes: 4 }), { message: 'the body was cut off' });
  });

  test('a peer that hangs up in the middle of a real answer', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('abc', () => response.destroy());
    }).listen(0, '127.0.0.1');
    await new Promise(resolve => server.once('listening', resolve));
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    get({ port: (server.address() as AddressInfo).port, agent: false }, resolve).on('error', reject);
    await assert.rejects(readBounded(await promise, { maxBytes: 100 }), { code: 'ECONNRESET' });
    server.close();
  });
});
