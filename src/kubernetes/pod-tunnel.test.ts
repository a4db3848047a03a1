import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createChannelReader, toDataMessage } from './pod-tunnel.ts';

const port = 44134;

/** What a reader makes of these messages. */
function read(messages: readonly Buffer[]) {
  const seen = { ready: 0, data: '', failures: [] as string[] };
  const reader = createChannelReader(port, {
    ready() {
      seen.ready++;
    },
    data(chunk) {
      seen.data += chunk.toString('latin1');
    },
    failed(reason) {
      seen.failures.push(reason);
    },
  });
  for (const message of messages) reader(message);
  return seen;
}

const headers = [Buffer.of(0, 0x66, 0xac), Buffer.of(1, 0x66, 0xac)];

describe('the channels of a port-forward', () => {
  test('begin with the port', () => {
    assert.deepEqual(read([...headers, Buffer.from('\0hello')]), { ready: 1, data: 'hello', failures: [] });
  });

  test('may have the header split, or data right behind it', () => {
    const messages = [
      Buffer.of(0, 0x66),
      Buffer.of(1, 0x66),
      Buffer.of(1, 0xac),
      Buffer.from([0, 0xac, 0x41]),
    ];
    assert.deepEqual(read(messages), { ready: 1, data: 'A', failures: [] });
  });

  test('ignore empty messages and other channels', () => {
    const messages = [
      Buffer.of(),
      Buffer.of(0),
      ...headers,
      Buffer.of(0),
      Buffer.from([7, 1]),
      Buffer.from([0, 0x42]),
    ];
    assert.deepEqual(read(messages), { ready: 1, data: 'B', failures: [] });
  });

  test('report the text of the error channel', () => {
    const messages = [...headers, Buffer.from('\x01error forwarding port\n')];
    assert.deepEqual(read(messages).failures, ['error forwarding port']);
  });

  test('report another port', () => {
    assert.deepEqual(read([Buffer.of(0, 1, 0)]).failures, [
      'the API server forwards port 1 instead of 44134',
    ]);
  });

  test('give the same bytes however they are cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (bytes, cuts) => {
          const stream = Buffer.concat([Buffer.of(0x66, 0xac), bytes]);
          const messages: Buffer[] = [headers[1]!];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const length = cuts[i] ?? 50;
            messages.push(Buffer.concat([Buffer.of(0), stream.subarray(at, at + length)]));
            at += length;
          }
          return read(messages).data === Buffer.from(bytes).toString('latin1');
        },
      ),
      { numRuns: 200 },
    );
  });

  test('never fail on arbitrary messages', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 })), messages => {
        return read(messages.map(message => Buffer.from(message))).ready <= 1;
      }),
      { numRuns: 200 },
    );
  });
});

test('toDataMessage joins chunks behind the channel', () => {
  assert.deepEqual(toDataMessage([Buffer.from('ab'), Buffer.from('c')], 3), Buffer.from('\0abc'));
});
