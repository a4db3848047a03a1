import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { Code } from '../protocol/index.ts';
import { ServerCall } from './server-call.ts';

const bounds = { maxMessageBytes: 1000, requestTimeoutMs: 10_000 };

/** A stream of node:http2 whose named call throws, as it does when the session has just gone. */
class ThrowingStream extends Duplex {
  headersSent = false;
  override readonly closed = false;
  readonly #throwsAt: string;

  constructor(throwsAt: string) {
    super({ autoDestroy: false });
    this.#throwsAt = throwsAt;
  }

  override _read(): void {}

  override write(): boolean {
    this.#check('write');
    return true;
  }

  override end(): this {
    this.#check('end');
    this.emit('wantTrailers');
    return this;
  }

  respond(): void {
    this.#check('respond');
    this.headersSent = true;
  }

  sendTrailers(): void {
    this.#check('sendTrailers');
  }

  close(): void {
    this.#check('close');
  }

  #check(name: string): void {
    if (name === this.#throwsAt) throw new Error(`ERR_HTTP2_INVALID_STREAM in ${name}`);
  }
}

for (const name of ['respond', 'write', 'end', 'sendTrailers', 'close'])
  test(`what ${name} of node:http2 throws ends the stream, and nothing else`, async () => {
    const stream = new ThrowingStream(name);
    const call = new ServerCall(stream as unknown as ServerHttp2Stream, { ':path': '/a/b' }, bounds);
    await call.send(Buffer.from('message'));
    call.finish(Code.OK);
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
    assert.ok(stream.destroyed);
  });

test('a status that comes first has the same care', () => {
  const stream = new ThrowingStream('respond');
  const call = new ServerCall(stream as unknown as ServerHttp2Stream, { ':path': '/a/b' }, bounds);
  call.finish(Code.NOT_FOUND, 'nothing here');
  assert.ok(stream.destroyed);
});

test('a text over the bound of a header is cut, whatever it takes encoded', () => {
  const sent: Record<string, string>[] = [];
  for (const text of [
    'a'.repeat(10_000),
    'é'.repeat(10_000),
    ' '.repeat(10_000),
    '\u{1f600}'.repeat(5_000),
  ]) {
    const stream = new ThrowingStream('');
    stream.respond = (headers?: Record<string, string>) => void sent.push(headers ?? {});
    const call = new ServerCall(stream as unknown as ServerHttp2Stream, { ':path': '/a/b' }, bounds);
    call.finish(Code.UNKNOWN, text);
    const encoded = sent.at(-1)?.['grpc-message'] ?? '';
    assert.ok(encoded.length <= 4096 && encoded.length > 2000, `${encoded.length}`);
    assert.ok(encoded.endsWith('%E2%80%A6'));
    stream.destroy();
  }
});
