import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/any-text.ts';
import { decodeGrpcMessage } from '../../test/support/grpc-message.ts';
import { encodeGrpcMessage, formatGrpcTimeout, isGrpcContentType, parseGrpcTimeout } from './grpc.ts';

test('a message survives the header, whatever it holds', () => {
  assert.equal(encodeGrpcMessage('100% é\n"x"'), '100%25 %C3%A9%0A"x"');
  fc.assert(
    fc.property(anyText(), text =>
      assert.equal(decodeGrpcMessage(encodeGrpcMessage(text)), text.toWellFormed()),
    ),
  );
  fc.assert(fc.property(anyText(), text => assert.match(encodeGrpcMessage(text), /^[\x20-\x7e]*$/)));
});

test('spaces at the ends are encoded, since strict peers drop such a header', () => {
  assert.equal(encodeGrpcMessage("  can't iterate over "), "%20%20can't iterate over%20");
  assert.deepEqual(['', ' ', '   '].map(encodeGrpcMessage), ['', '%20', '%20%20%20']);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(' ', '%', '2', '0', 'é') }), text => {
      const encoded = encodeGrpcMessage(text);
      assert.equal(decodeGrpcMessage(encoded), text);
      assert.equal(encoded, encoded.trim());
    }),
  );
});

test('a stray per cent sign is kept, not thrown', () => {
  assert.equal(decodeGrpcMessage('50% of %41%zz %C3'), '50% of A%zz \ufffd');
});

test('timeouts in every unit, bounded to a day', () => {
  assert.deepEqual(
    ['1H', '2M', '3S', '4m', '5u', '6n'].map(parseGrpcTimeout),
    [3_600_000, 120_000, 3_000, 4, 5e-3, 6e-6],
  );
  assert.equal(parseGrpcTimeout('99999999H'), 86_400_000);
  for (const bad of ['', '5', 'S', '-1S', '123456789S', '1.5S', '1 S'])
    assert.throws(() => parseGrpcTimeout(bad), { code: 3 });
});

test('milliseconds fit the 8 digits of the header', () => {
  assert.deepEqual([0.2, 300_000, 86_400_000, 1e9].map(formatGrpcTimeout), [
    '1m',
    '300000m',
    '86400000m',
    '1000000S',
  ]);
});

test("gRPC's content types, and those that only look alike", () => {
  assert.deepEqual(
    ['application/grpc', 'application/grpc+proto', 'Application/gRPC; x=y', 'application/grpc '].filter(
      type => !isGrpcContentType(type),
    ),
    [],
  );
  assert.deepEqual(
    ['application/grpc-web', 'application/grpcs', 'application/json', '', undefined].filter(
      isGrpcContentType,
    ),
    [],
  );
});
