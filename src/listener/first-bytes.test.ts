import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { detectProtocol } from './first-bytes.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

describe('detectProtocol', () => {
  const cases: [string, ReturnType<typeof detectProtocol>][] = [
    ['', undefined],
    ['\x16', 'tls'],
    ['\x16\x03\x01', 'tls'],
    ['P', undefined],
    ['PR', undefined],
    [preface.slice(0, -1), undefined],
    [preface, 'http2'],
    [`${preface}\0\0\0`, 'http2'],
    ['PO', 'http1'],
    ['GET / HTTP/1.1', 'http1'],
    [`${preface.slice(0, -1)}x`, 'http1'],
    ['\0', 'http1'],
    ['\x80\x2e\x01', 'http1'],
  ];
  for (const [bytes, protocol] of cases) {
    test(`${JSON.stringify(bytes)}: ${protocol ?? 'more bytes are needed'}`, () =>
      assert.equal(detectProtocol(Buffer.from(bytes, 'latin1')), protocol));
  }

  test('more bytes never change what fewer have told', () => {
    const beginnings = fc.oneof(
      fc.constant(Buffer.from(preface)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
    );
    fc.assert(
      fc.property(
        beginnings,
        fc.uint8Array({ maxLength: 40 }),
        fc.nat({ max: 40 }),
        (start, rest, length) => {
          const whole = Buffer.concat([start, rest]);
          const early = detectProtocol(whole.subarray(0, length));
          return early === undefined || early === detectProtocol(whole);
        },
      ),
      { numRuns: 500 },
    );
  });
});
