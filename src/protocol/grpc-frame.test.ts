import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Code } from './code.ts';
import { GatewayError } from './gateway-error.ts';
import { decompressFrame, FrameReader, toFrame } from './grpc.ts';

test('messages come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 400 })),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(toFrame));
        const reader = new FrameReader(1000);
        const got: Buffer[] = [];
        let position = 0;
        for (const cut of [...cuts, bytes.length]) {
          for (const frame of reader.push(bytes.subarray(position, position + cut))) got.push(frame.message);
          position += cut;
        }
        assert.deepEqual(
          got.map(String),
          messages.map(message => Buffer.from(message).toString()),
        );
        assert.ok(reader.empty);
      },
    ),
  );
});

test('a message over the bound is refused by its prefix, before it arrives', () => {
  const prefix = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
  assert.throws(() => new FrameReader(1000).push(prefix), {
    code: 8,
    message: 'message of 2147483647 bytes is over the limit of 1000',
  });
});

test('unknown flags are refused', () => {
  assert.throws(() => new FrameReader(1000).push(Buffer.from([0x80, 0, 0, 0, 0])), { code: 13 });
});

test('one byte at a time costs no more than the message', () => {
  const message = Buffer.alloc(100_000, 7);
  const reader = new FrameReader(200_000);
  let frames = 0;
  for (const byte of toFrame(message)) frames += reader.push(Buffer.of(byte)).length;
  assert.equal(frames, 1);
});

test('compressed messages, whole, broken, exploding, and in an unknown encoding', async () => {
  const text = Buffer.from('hello '.repeat(100));
  const frame = (message: Buffer) => ({ compressed: true, message });
  assert.deepEqual(await decompressFrame(frame(gzipSync(text)), 'gzip', 1000), text);
  assert.deepEqual(await decompressFrame(frame(deflateSync(text)), 'deflate', 1000), text);
  assert.deepEqual(await decompressFrame({ compressed: false, message: text }, 'gzip', 1), text);
  await assert.rejects(decompressFrame(frame(text), 'gzip', 1000), { code: 13 });
  await assert.rejects(decompressFrame(frame(gzipSync(text)), 'gzip', 100), { code: 8 });
  await assert.rejects(decompressFrame(frame(gzipSync(Buffer.alloc(50_000_000))), 'gzip', 1_000_000), {
    code: 8,
  });
  await assert.rejects(decompressFrame(frame(text), 'snappy', 1000), { code: 12 });
});

test('what is decompressed is told part by part, and what is thrown then ends the work', async () => {
  const content = Buffer.alloc(1_000_000, 'a');
  for (const [encoding, compress] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const) {
    const frame = { compressed: true, message: compress(content) };
    const parts: number[] = [];
    await decompressFrame(frame, encoding, content.length, bytes => parts.push(bytes));
    assert.equal(
      parts.reduce((sum, bytes) => sum + bytes, 0),
      content.length,
    );
    let told = 0;
    const refuse = (bytes: number) => {
      told += bytes;
      if (told > 100_000) throw new GatewayError(Code.UNAVAILABLE, 'no room');
    };
    await assert.rejects(decompressFrame(frame, encoding, content.length, refuse), {
      code: Code.UNAVAILABLE,
    });
    assert.ok(told < 200_000, `${told}`);
  }
});
